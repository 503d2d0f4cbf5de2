// Serves the pages of the shop, and its one call: what is in stock.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const site = fileURLToPath(new URL('./site/', import.meta.url));
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const stock = { lantern: 4, kettle: 0, blanket: 12 };

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/api/stock') {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(stock));
    return;
  }
  const file = normalize(join(site, pathname.endsWith('/') ? `${pathname}index.html` : pathname));
  const found = file.startsWith(site.endsWith(sep) ? site : site + sep) && (await stat(file).catch(() => null));
  if (!found || !found.isFile()) {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    response.end('There is no such page.');
    return;
  }
  response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(500, { 'Content-Type': 'text/plain' });
    response.end(String(error));
  });
}).listen(Number(process.env.PORT ?? 4173), '127.0.0.1');
