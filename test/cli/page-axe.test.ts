// The audit page and a report under axe, in a real browser: light and dark, on a desktop and on a phone. Screenshots go to
// $PAGE_SCREENSHOTS, where that is set.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { BrowserPage, describeBrowser } from '../support/chromium.js';
import { auditedStore, entry, rowsIn } from './audited.js';
import { call } from './call.js';
import { serve } from './page-support.js';
import { witnessedEntries } from './witnessed.js';

vi.setConfig({ testTimeout: 240_000 });

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`;
const HOUR = 3_600_000;
const ORIGIN = 'immu-ts.example/billing';

/** A store in which there is something of everything. */
async function fullStore() {
  const { path, folder } = await auditedStore();
  const served = await serve(path);
  const { store } = served;
  const { server, alh } = (await rowsIn(path)).at(-1)!;
  const at = Date.now();
  const of = { server, tx: 9n, alh };
  const other = { server: 'another-server', database: 'billing' };
  const followed = {
    ...{ operation: 'follow', calls: 0, verifiedAt: at - 2 * HOUR },
    detail: 'followed to tx 8 from tx 0: 8 keys',
  };
  const shown = {
    ...{ operation: 'publishHead.witnesses', calls: 0, verifiedAt: at - HOUR },
    detail: `tree of 8 transactions of ${ORIGIN}: 1 of 3 cosigned, quorum 2\ncosigned w0.example\nunreachable w1.example\nrefused w2.example withheld`,
  };
  await store.advance(null, entry({ ...other, outcome: 'first-use', tx: 4n, verifiedAt: at - 30 * HOUR }));
  for (const row of [
    entry({ ...of, ...followed }),
    ...witnessedEntries(ORIGIN, {
      size: 8n,
      witnesses: ['w0.example', 'w1.example'],
      at: at - 26 * HOUR,
    }).map((each) => ({ ...each, server, alh })),
    entry({ ...of, ...shown }),
    entry({
      ...{ ...other, outcome: 'rollback', tx: 4n, verifiedAt: at - HOUR, operation: 'publishHead' },
      detail: 'w2.example has seen 12 transactions, and the server says that it does not have them',
      evidence: { check: 'witness.withheld', expected: '12', computed: '4', job: new Uint8Array(0) },
    }),
  ])
    await store.record(row);
  const failed = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!;
  return { ...served, path, folder, failed };
}

async function shot(page: BrowserPage, name: string): Promise<void> {
  const folder = process.env['PAGE_SCREENSHOTS'];
  if (folder) await page.screenshot(join(folder, `${name}.png`));
}

describeBrowser('under axe', () => {
  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 380],
    ['dark', 380],
  ] as const)('every view, %s, %i wide: nothing found, nothing beside the page', async (tone, width) => {
    const { url, failed, path, folder } = await fullStore();
    const key = join(folder, 'key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const report = join(folder, 'report.html');
    await call(['report', '--store', path, '--key', key, '--out', report, '--offline']);
    const { url: locked } = await serve(path, { token: 'a-token-of-some-length' });
    const views = {
      overview: url,
      row: `${url}row/${failed.seq}`,
      verified: `${url}verify`,
      key: `${url}key?key=k3`,
      checks: `${url}checks`,
      mistake: `${url}?from=soon`,
      missing: `${url}gone`,
      token: locked,
      report: pathToFileURL(report).href,
    };
    const page = await BrowserPage.open({ dark: tone === 'dark', width, height: 900 });
    for (const [name, address] of Object.entries(views)) {
      await page.goto(address);
      expect([name, await page.evaluate('document.documentElement.scrollWidth <= innerWidth')]).toEqual([
        name,
        true,
      ]);
      await page.evaluate(`${AXE}; undefined`);
      expect([name, await page.evaluate(RUN)]).toEqual([name, []]);
      await shot(page, `${name}-${tone}-${width}`);
    }
  });
});
