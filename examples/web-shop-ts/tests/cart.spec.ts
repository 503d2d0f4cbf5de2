import { expect, test } from '@playwright/test';

test('what is added lies in the cart', async ({ page }) => {
  await page.goto('/');
  const lantern = page.getByRole('listitem').filter({ hasText: 'lantern' });
  await lantern.getByRole('button').click();
  await lantern.getByRole('button').click();
  await page.goto('/cart.html');
  await expect(page.getByRole('table', { name: 'Cart' })).toContainText('Storm lantern2€49.00');
  await expect(page.getByText('Total: €49.00')).toBeVisible();
});

test('an order wants an e-mail address', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('listitem').filter({ hasText: 'blanket' }).getByRole('button').click();
  await page.goto('/cart.html');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByRole('alert')).toHaveText('Please give an e-mail address.');
  await page.getByLabel('E-mail').fill('ada@example.org');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByRole('status')).toHaveText('Thank you! We will write to ada@example.org.');
});

test('an empty cart cannot be ordered', async ({ page }) => {
  await page.goto('/cart.html');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByRole('alert')).toHaveText('There is nothing in the cart.');
});
