// Resizes with sharp: a line of JSON in, a line of JSON out, with the milliseconds that sharp alone took.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

sharp.concurrency(1);
sharp.cache(false);
const files = new Map();

async function resize({ file, width, height, format, options, save }) {
  if (!files.has(file)) {
    files.clear(); // one original in memory, as on the other side
    files.set(file, readFileSync(file));
  }
  const input = files.get(file);
  const started = process.hrtime.bigint();
  const data = await sharp(input)
    .autoOrient()
    .resize({ width, height, fit: "cover", withoutEnlargement: true })
    .toFormat(format, options)
    .toBuffer();
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  if (save) writeFileSync(save, data);
  return { ms, bytes: data.length };
}

const [once] = process.argv.slice(2);
if (once) {
  await resize(JSON.parse(once));
  // Not process.resourceUsage(), whose figure a process inherits from who started it.
  console.log(readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s+(\d+)/)[1]);
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await resize(JSON.parse(line))));
  }
}
