// The resizer that people write with sharp: GET /SIZE/PATH makes a JPEG of the original PATH, stores it, and sends it.
// node http_server.mjs ORIGINALS VARIANTS PORT WORKERS
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const [originals, variants, port, workers] = process.argv.slice(2);
const SIZES = {
  '360x270': { width: 360, height: 270, fit: 'cover', withoutEnlargement: true },
  '480h': { height: 480, withoutEnlargement: true },
  '1280w': { width: 1280, withoutEnlargement: true },
};

async function make(size, path) {
  const original = await readFile(join(originals, path));
  const data = await sharp(original).rotate().resize(SIZES[size]).jpeg({ quality: 80 }).toBuffer();
  const target = join(variants, size, path);
  await mkdir(dirname(target), { recursive: true });
  // Under another name until it is whole, so that nobody is ever sent a part of it.
  const temporary = `${target}.${process.pid}.${Math.random()}`;
  await writeFile(temporary, data);
  await rename(temporary, target);
  return data;
}

async function answer(request, response) {
  const [, size, ...rest] = request.url.split('/');
  if (!(size in SIZES) || rest.includes('..')) {
    response.writeHead(404).end();
    return;
  }
  try {
    const data = await make(size, rest.join('/'));
    response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': data.length }).end(data);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => {
    listening += 1;
    if (listening === Number(workers)) console.log(`ready: http://127.0.0.1:${port}/`);
  });
  for (let number = 0; number < Number(workers); number += 1) cluster.fork();
} else {
  sharp.concurrency(1); // a thread an image: the processors are busy with other images already
  sharp.cache(false); // every request is for another file
  createServer(answer).listen(Number(port), '127.0.0.1');
}
