// The Lambda function that people write with sharp: GET /resizer?key=360x270/PATH makes a JPEG of the original PATH,
// stores it, and redirects to it.
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';

const { BUCKET, URL, SIZES } = process.env;
const s3 = new S3Client({ forcePathStyle: true }); // region, endpoint and credentials come from the environment
const sizes = new Set(SIZES.split(' '));

export async function handler(event) {
  const { key } = event.queryStringParameters;
  const [, size, path] = key.match(/^(\d+x\d+)\/(.*)$/) ?? [];
  if (!sizes.has(size)) return { statusCode: 403, body: '' };
  const [width, height] = size.split('x').map(Number);
  const original = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: path }));
  const data = await sharp(await original.Body.transformToByteArray())
    .autoOrient()
    .resize({ width, height, fit: 'cover', withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer();
  await s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: key,
      Body: data,
      ContentType: 'image/jpeg',
      CacheControl: 'public, max-age=31536000, immutable',
    }),
  );
  return { statusCode: 301, headers: { location: `${URL}/${key}` }, body: '' };
}

// As Lambda's runtime would call it, once.
const answer = await handler(JSON.parse(process.argv[2]));
console.log(answer.statusCode);
process.exit(0); // not to wait for the connections that are kept
