import { expect, test } from '@playwright/test';

test.beforeEach(async ({ page }) => {
  await page.goto('/');
});

test.describe('the goods', () => {
  test('are listed with their prices', async ({ page }) => {
    const goods = page.getByRole('list', { name: 'Goods' }).getByRole('listitem');
    await expect(goods).toHaveCount(3);
    await expect(goods.first()).toContainText('Storm lantern, €24.50');
  });

  test('can be searched', async ({ page }) => {
    await page.getByLabel('Search').fill('blanket');
    await expect(page.getByRole('listitem')).toHaveText([/Wool blanket/]);
    await page.getByLabel('Search').fill('submarine');
    await expect(page.getByRole('status')).toHaveText('Nothing like that.');
  });

  test('that are sold out cannot be bought', async ({ page }) => {
    await expect(page.getByRole('listitem').filter({ hasText: 'kettle' }).getByRole('button')).toBeDisabled();
  });
});

test('the menu folds away on a small screen', async ({ page, isMobile }) => {
  test.skip(!isMobile, 'A wide screen shows the links.');
  await expect(page.getByRole('link', { name: 'Goods' })).toBeHidden();
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('link', { name: 'Goods' })).toBeVisible();
});
