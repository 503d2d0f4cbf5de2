"""A suite of Playwright Test that says all of its secrets, in the ways that its runner has of its own."""

from tests.support.playwright_test import EXAMPLE

TESTS = 14

SUITE = {
    "package.json": (EXAMPLE / "package.json").read_text(),
    "package-lock.json": (EXAMPLE / "package-lock.json").read_text(),
    "playwright.config.ts": """
const all = ['WEIRD_PASSWORD', 'HOOK_URL', 'API_TOKEN', 'ACCOUNT_PIN', 'PASSPHRASE'].map(name => process.env[name]).join(' | ');
console.log('configured with', all);
export default {
  retries: 1,
  metadata: { all },
  projects: [{ name: `with ${process.env.PASSPHRASE}`, metadata: { all } }],
};
""",
    "said.spec.ts": """
import { expect, test } from '@playwright/test';
import fs from 'node:fs';

const NAMES = ['WEIRD_PASSWORD', 'HOOK_URL', 'API_TOKEN', 'ACCOUNT_PIN', 'PASSPHRASE'] as const;
const SECRETS = Object.fromEntries(NAMES.map(name => [name, process.env[name]!]));
const ALL = Object.values(SECRETS).join(' | ');
const escaped = (text: string) => text.replace(/[&<>"]/g, each => `&#${each.charCodeAt(0)};`);

for (const name of NAMES) {
  const value = SECRETS[name];
  test.describe(`of ${value}`, () => {
    test(`is named ${value}`, { tag: '@named', annotation: { type: 'secret', description: value } }, async ({}, testInfo) => {
      console.log('printed:', value, JSON.stringify(value), JSON.stringify(JSON.stringify(value)), encodeURIComponent(value));
      console.error('complained:', { value }, [value]);
      for (const before of ['', 'u', 'us']) process.stdout.write(Buffer.from(before + value + 'tail').toString('base64') + '\\n');
      await test.step(`a step with ${value}`, async () => { test.info().annotations.push({ type: value, description: value }); });
      await testInfo.attach('notes', { body: `a note: ${value}`, contentType: 'text/plain' });
      await testInfo.attach(`data of ${value}`, { body: JSON.stringify({ value, [value]: 1 }), contentType: 'application/json' });
      const file = testInfo.outputPath('page.html');
      fs.writeFileSync(file, `<!doctype html><p>${escaped(value)}<!-- ${value} -->`);
      testInfo.attachments.push({ name: 'pushed', path: file, contentType: 'text/html' });
      await testInfo.attach(`page of ${value}`, { path: file, contentType: 'text/html' });
    });
    test('fails with it', async ({ page }) => {
      await page.setContent(`<title>${escaped(value)}</title><h1>Shop</h1>`);
      expect.soft(await page.title(), `wanted ${value}`).toBe('Another ' + value);
      await expect(page.getByRole('heading')).toHaveText(value, { timeout: 300 });
    });
  });
}

test('says it in a browser', async ({ page, context }) => {
  page.on('console', message => console.log('console', message.text()));
  await page.route('**/*', route => route.fulfill({
    contentType: 'text/html', headers: { 'x-echo': encodeURIComponent(ALL) },
    body: `<!doctype html><meta charset=utf-8><h1>Shop</h1><textarea></textarea><pre>${escaped(ALL)}</pre>
      <script>window.secrets = ${JSON.stringify(SECRETS)}</script>`,
  }));
  await page.setExtraHTTPHeaders({ 'x-token': SECRETS.API_TOKEN });
  await page.goto('http://shop.test/?' + new URLSearchParams(SECRETS));
  await page.getByRole('textbox').fill(SECRETS.WEIRD_PASSWORD);
  await context.addCookies([{ name: 'pin', value: SECRETS.ACCOUNT_PIN, url: 'http://shop.test' }]);
  await page.evaluate(async secrets => {
    for (const [name, value] of Object.entries(secrets)) {
      localStorage.setItem(name, value);
      console.log(name, value);
      document.body.append(value);
      document.body.setAttribute('data-' + name.toLowerCase(), value);
    }
    await fetch('/json', { method: 'POST', body: JSON.stringify(secrets) });
  }, SECRETS);
  await expect(page.getByRole('heading')).toHaveText('Shop');
});

test('passes when run again', async ({}, testInfo) => {
  if (!testInfo.retry) throw new Error(`not yet: ${ALL}`);
});

test('is skipped for it', async () => { test.skip(true, `because of ${ALL}`); });

test('is expected to fail for it', async () => {
  test.fail(true, SECRETS.API_TOKEN);
  throw new Error(SECRETS.API_TOKEN);
});
""",
}
