// The audit page in a real browser: it looks as it should, its policy lets everything of ours and nothing else, it works
// without scripts, and the live tail shows what is logged. Screenshots go to $PAGE_SCREENSHOTS, where that is set.
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { BrowserPage, describeBrowser } from '../support/chromium.js';
import { auditedStore, entry, rowsIn, storeOf } from './audited.js';
import { serve } from './page-support.js';
import { witnessedEntries } from './witnessed.js';

vi.setConfig({ testTimeout: 120_000 });

const HOSTILE = `"><script>document.title='taken'</script><img src=x onerror="document.title='taken'">`;

async function shot(page: BrowserPage, name: string): Promise<void> {
  const folder = process.env['PAGE_SCREENSHOTS'];
  if (folder) await page.screenshot(join(folder, `${name}.png`));
}

describeBrowser('the audit page', () => {
  test('loads whole, from itself alone, with nothing to complain about', async () => {
    const { path } = await auditedStore();
    const { url } = await serve(path);
    const page = await BrowserPage.open();
    await page.goto(url);
    expect(await page.evaluate('document.title')).toBe('Audit log · immu-ts audit');
    // The stylesheet and the script have arrived and are let in.
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.panel')).borderRadius`)).toBe(
      '10px',
    );
    expect(await page.evaluate(`document.getElementById('live').hidden`)).toBe(false);
    expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
    expect(await page.evaluate(`document.querySelectorAll('svg rect.failures').length`)).toBe(1);
    expect(page.requested.filter((address) => !address.startsWith(url))).toEqual([]);
    expect(page.requested.map((address) => new URL(address).pathname)).toEqual(
      expect.arrayContaining(['/', '/style.css', '/script.js']),
    );
    await shot(page, 'overview');
    const failed = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!;
    await page.goto(`${url}row/${failed.seq}`);
    expect(await page.evaluate(`document.querySelector('.verdict').textContent`)).toContain('reproduced');
    await shot(page, 'row');
    expect(page.complaints).toEqual([]);
  });

  test('light and dark, wide and narrow: text that can be read, nothing beside the page', async () => {
    const { path } = await auditedStore();
    const { url } = await serve(path);
    for (const [dark, width] of [
      [false, 1280],
      [true, 1280],
      [true, 380],
    ] as const) {
      const page = await BrowserPage.open({ dark, width });
      await page.goto(url);
      const back = await page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
      const [red = 0] = back.match(/\d+/g)!.map(Number);
      expect(red < 128).toBe(dark);
      expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      expect(await page.evaluate(TOO_LITTLE_CONTRAST)).toEqual([]);
      await shot(page, `${dark ? 'dark' : 'light'}-${width}`);
    }
  });

  test('witnesses: seen, readable, wide and narrow', async () => {
    const { path } = await auditedStore();
    const { url, store } = await serve(path);
    const hour = 3_600_000;
    const names = ['witness.example', `${'long.'.repeat(20)}example`, HOSTILE.replaceAll(' ', '_')];
    for (const [size, witnesses, ago] of [
      [4n, names, 26 * hour],
      [9n, names.slice(0, 1), hour],
    ] as const) {
      const at = Date.now() - ago;
      for (const row of witnessedEntries('immu-ts.example/billing', { size, witnesses, at }))
        await store.record(row);
    }
    for (const [dark, width] of [
      [false, 1280],
      [true, 380],
    ] as const) {
      const page = await BrowserPage.open({ dark, width });
      await page.goto(url);
      expect(await page.evaluate(`document.querySelector('.witnessed .age').textContent`)).toBe('1 h');
      expect(await page.evaluate(`document.querySelectorAll('#witnesses tbody tr').length`)).toBe(3);
      expect(await page.evaluate(`document.querySelector('#witnesses tbody').textContent`)).toContain(
        '<script>',
      );
      expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      expect(await page.evaluate(TOO_LITTLE_CONTRAST)).toEqual([]);
      expect(await page.evaluate('document.title')).toBe('Audit log · immu-ts audit');
      expect(page.complaints).toEqual([]);
      await shot(page, `witnesses-${width}`);
      await page.leads(`document.querySelector('#witnesses tbody a').click()`);
      expect(await page.evaluate(`document.querySelectorAll('.detail br').length`)).toBeGreaterThan(4);
      expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      await shot(page, `note-${width}`);
    }
  });

  test('every control has a name, every page one heading, and the keyboard reaches what the mouse does', async () => {
    const { path } = await auditedStore();
    const { url } = await serve(path);
    const page = await BrowserPage.open();
    await page.goto(url);
    const nameless = `[...document.querySelectorAll('a, button, input, select')].filter((control) =>
      !control.closest('[aria-hidden=true]') && !(control.textContent.trim() || control.labels?.[0]?.textContent.trim()))
      .map((control) => control.outerHTML)`;
    expect(await page.evaluate(nameless)).toEqual([]);
    expect(await page.evaluate(`document.querySelectorAll('h1').length`)).toBe(1);
    expect(await page.evaluate(`document.documentElement.lang`)).toBe('en');
    expect(await page.evaluate(`document.querySelectorAll('main').length`)).toBe(1);
  });

  test('hostile text in the log runs nothing', async () => {
    const words = {
      operation: HOSTILE,
      detail: HOSTILE,
      database: HOSTILE,
      server: HOSTILE,
      clientId: HOSTILE,
    };
    const evidence = { check: HOSTILE, job: new Uint8Array(3) };
    const { path } = await storeOf([entry({ ...words, outcome: 'failure', evidence })]);
    const { url, store } = await serve(path);
    const page = await BrowserPage.open();
    await page.goto(`${url}?database=${encodeURIComponent(HOSTILE)}`);
    await page.evaluate(`document.getElementById('live').click()`);
    await page.until(`document.getElementById('live-state').textContent === 'waiting for new rows'`);
    await store.record(entry(words));
    await page.until(`document.querySelectorAll('#rows tbody tr').length === 2`);
    expect(await page.evaluate(`document.querySelectorAll('#rows script, #rows img').length`)).toBe(0);
    expect(await page.evaluate(`document.querySelector('#rows tbody tr').textContent`)).toContain('<script>');
    expect(await page.evaluate('document.title')).toBe('Audit log · immu-ts audit');
    await page.goto(`${url}row/1`);
    expect(await page.evaluate('document.title')).toBe('Row 1 · immu-ts audit');
    expect(page.complaints).toEqual([]);
  });

  test('the live tail shows new rows first, and stops', async () => {
    const { path } = await auditedStore();
    const { url, store } = await serve(path);
    const page = await BrowserPage.open();
    await page.goto(url);
    const before = await page.evaluate<number>(`document.querySelectorAll('#rows tbody tr').length`);
    await page.evaluate(`document.getElementById('live').click()`);
    await page.until(`document.getElementById('live-state').textContent === 'waiting for new rows'`);
    await store.record(entry({ operation: 'justNow' }));
    await page.until(`document.getElementById('live-state').textContent === '1 new'`);
    const first = `document.querySelector('#rows tbody tr')`;
    expect(await page.evaluate(`${first}.textContent`)).toContain('justNow');
    expect(await page.evaluate(`document.querySelectorAll('#rows tbody tr').length`)).toBe(before + 1);
    await shot(page, 'live');
    await page.evaluate(`document.getElementById('live').click()`);
    await page.until(`document.getElementById('live-state').textContent === 'paused'`);
    // The row's link leads to it.
    await page.leads(`${first}.querySelector('a').click()`);
    expect(await page.evaluate(`document.querySelector('dl').textContent`)).toContain('justNow');
    expect(page.complaints).toEqual([]);
  });

  test('the figures go along with the live tail', async () => {
    const { path } = await auditedStore();
    const { url, store } = await serve(path);
    const page = await BrowserPage.open();
    await page.goto(url);
    const figure = (name: string) =>
      page.evaluate<string>(`document.querySelector('[data-figure="${name}"]').textContent`);
    const [rows, calls] = [Number(await figure('rows')), Number(await figure('calls'))];
    await page.evaluate(`document.getElementById('live').click()`);
    await page.until(`document.getElementById('live-state').textContent === 'waiting for new rows'`);
    await store.record(entry({ calls: 5 }));
    await store.record(entry({ outcome: 'failure', calls: 1 }));
    await page.until(`document.querySelector('[data-figure="rows"]').textContent === '${rows + 2}'`);
    expect(await figure('calls')).toBe(String(calls + 6));
    expect(await figure('failures')).toBe('2');
    expect(await page.evaluate(`document.querySelector('[data-failures]').className`)).toBe('figure bad');
    expect(page.complaints).toEqual([]);
  });

  test('on a phone a row is a card: every value with its name, none beside the page', async () => {
    const { path } = await auditedStore();
    const { url } = await serve(path);
    const page = await BrowserPage.open({ width: 380 });
    await page.goto(url);
    const first = `document.querySelector('#rows tbody tr')`;
    expect(await page.evaluate(`getComputedStyle(${first}).display`)).toBe('flex');
    expect(
      await page.evaluate(
        `[...${first}.cells].filter((cell) => getComputedStyle(cell, '::before').content.length <= 2).length`,
      ),
    ).toBe(0);
    expect(
      await page.evaluate(
        `[...${first}.cells].filter((cell) => cell.getBoundingClientRect().right > innerWidth).length`,
      ),
    ).toBe(0);
    const wide = await BrowserPage.open({ width: 1280 });
    await wide.goto(url);
    expect(await wide.evaluate(`getComputedStyle(${first}).display`)).toBe('table-row');
  });

  test('a token: asked for, kept, and not left in the address', async () => {
    const { path } = await storeOf([entry({})]);
    const { url } = await serve(path, { token: 'a-token-of-some-length' });
    const page = await BrowserPage.open();
    await page.goto(url);
    expect(await page.evaluate(`document.querySelector('h1').textContent`)).toBe('This page needs a token');
    await shot(page, 'token');
    await page.evaluate(`document.querySelector('input').value = 'a-token-of-some-length'`);
    await page.leads(`document.querySelector('form').requestSubmit()`);
    expect(await page.evaluate('location.href')).toBe(url);
    expect(await page.evaluate('document.title')).toBe('Audit log · immu-ts audit');
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  test('works without scripts', async () => {
    const { path } = await auditedStore();
    const { url } = await serve(path);
    const page = await BrowserPage.open({ javaScript: false });
    await page.goto(url);
    await page.leads(
      `document.querySelector('select').value = 'failure', document.querySelector('form.filter').requestSubmit()`,
    );
    expect(await page.evaluate(`document.querySelectorAll('#rows tbody tr').length`)).toBe(1);
    expect(await page.evaluate(`document.getElementById('live').hidden`)).toBe(true);
    await page.leads(`document.querySelector('#rows tbody a').click()`);
    expect(await page.evaluate(`document.querySelector('.verdict').textContent`)).toContain('reproduced');
  });
});

/** Text on the page that WCAG (level AA) finds hard to read on what is behind it. */
const TOO_LITTLE_CONTRAST = `(() => {
  const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() && element.closest('svg') === null &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''));
  const ratio = (element) => {
    const [a, b] = [light(parse(getComputedStyle(element).color).rgb), light(behind(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  return texts.filter((element) => ratio(element) < 4.5).map((element) => ratio(element).toFixed(2) + ' ' + element.outerHTML);
})()`;
