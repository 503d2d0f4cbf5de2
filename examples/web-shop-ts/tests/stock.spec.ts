import { expect, test } from '@playwright/test';

test('the stock is told as JSON', async ({ request }) => {
  const answer = await request.get('/api/stock');
  await expect(answer).toBeOK();
  expect(await answer.json()).toEqual({ lantern: 4, kettle: 0, blanket: 12 });
});

// Stands for what real suites have: a test that fails now and then, and passes when it is run again.
test('the stock is shown while the shop is busy', async ({ page }, testInfo) => {
  await page.route('**/api/stock', (route) => (testInfo.retry === 0 ? route.abort() : route.continue()));
  await page.goto('/');
  await expect(page.getByRole('listitem')).toHaveCount(3, { timeout: 1_000 });
});
