// A headless Chromium for tests of the audit page, driven over its DevTools pipe: no package and no port is needed for it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { describe, onTestFinished } from 'vitest';
import { BROWSER } from './browser-mark.js';
import { isProgram } from './programs.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** Path of the browser: `$CHROMIUM`, or the first that is on `PATH`. */
export function chromiumPath(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(CHROMIUM ? [CHROMIUM] : []), ...places].find(isProgram);
}

/** Tests that need a browser; skipped, and counted loudly, when there is none. */
export function describeBrowser(name: string, body: () => void): void {
  describe.skipIf(chromiumPath() === undefined)(`${BROWSER} ${name}`, body);
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** One page of a browser that is closed, with its profile, when the test ends. */
export class BrowserPage {
  /** What the page complained about: errors of scripts, refusals of the content security policy, requests that failed. */
  readonly complaints: string[] = [];
  /** Every address that was asked for. */
  readonly requested: string[] = [];
  readonly #child: ChildProcess;
  readonly #to: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events = new Map<string, (() => void)[]>();
  #session: string | undefined;
  #lastId = 0;
  #gone = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const [, , , to, from] = child.stdio as [null, null, null, Writable, Readable];
    this.#to = to;
    let text = '';
    from.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
    to.on('error', () => undefined);
    child.on('exit', () => {
      this.#gone = true;
      for (const settle of this.#waiting.values()) settle({ error: { message: 'the browser is gone' } });
      this.#waiting.clear();
    });
  }

  static async open(
    options: { dark?: boolean; width?: number; height?: number; javaScript?: boolean } = {},
  ): Promise<BrowserPage> {
    const path = chromiumPath();
    if (path === undefined) throw new Error('there is no Chromium');
    const profile = await mkdtemp(join(tmpdir(), 'immu-ts-browser-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
    ];
    const args = [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'];
    const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const page = new BrowserPage(child);
    onTestFinished(async () => {
      await page.#close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });
    const { targetId } = await page.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await page.send('Target.attachToTarget', { targetId, flatten: true });
    page.#session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.send(`${domain}.enable`);
    const { dark = false, width = 1280, height = 1000, javaScript = true } = options;
    await page.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
    });
    await page.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    if (!javaScript) await page.send('Emulation.setScriptExecutionDisabled', { value: true });
    return page;
  }

  /** Resolves when the page, with all that belongs to it, is loaded. */
  async goto(url: string): Promise<void> {
    const loaded = this.#event('Page.loadEventFired');
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** Does something that leads to another page, and waits for it. */
  async leads(expression: string): Promise<void> {
    const loaded = this.#event('Page.loadEventFired');
    await this.evaluate(`${expression}, undefined`);
    await loaded;
  }

  /** Value of an expression; a promise is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Resolves when the expression is true, which is looked at whenever the page has changed. */
  async until(expression: string): Promise<void> {
    await this.evaluate(`new Promise((resolve) => {
      const look = () => (${expression}) && (watch.disconnect(), resolve());
      const watch = new MutationObserver(look);
      watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      look();
    })`);
  }

  async screenshot(path: string): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', {
      format: 'png',
      captureBeyondViewport: true,
    });
    await writeFile(path, Buffer.from(data as string, 'base64'));
  }

  /** One command of the DevTools protocol. */
  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    if (this.#gone) throw new Error('the browser is gone');
    this.#lastId += 1;
    const id = this.#lastId;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#to.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const { result = {}, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #event(method: string): Promise<void> {
    return new Promise((resolve) => {
      this.#events.set(method, [...(this.#events.get(method) ?? []), resolve]);
    });
  }

  #take({ id, method, params = {}, ...answer }: Message): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
      return;
    }
    if (method === 'Network.requestWillBeSent')
      this.requested.push((params['request'] as { url: string }).url);
    const complaint =
      method === 'Runtime.exceptionThrown' ||
      method === 'Log.entryAdded' ||
      // What the page itself has ended, such as its live tail, has not failed.
      (method === 'Network.loadingFailed' && params['canceled'] !== true);
    if (complaint) {
      this.complaints.push(`${method}: ${JSON.stringify(params)}`);
    }
    const waiting = this.#events.get(method ?? '') ?? [];
    this.#events.delete(method ?? '');
    for (const resolve of waiting) resolve();
  }

  async #close(): Promise<void> {
    if (this.#gone) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#session = undefined;
    this.send('Browser.close').catch(() => undefined);
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(force);
  }
}
