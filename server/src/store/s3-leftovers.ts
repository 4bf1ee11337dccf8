import type { S3Bucket } from './s3-bucket.ts';

const ABANDONED_AFTER = 24 * 3_600_000;
const EVERY = 3_600_000;

/**
 * Gives up uploads in parts that nobody finished, since their parts take space that no list shows: now and every hour.
 * Returns what ends it. Failures are told and tried again an hour later.
 */
export function sweepLeftovers(
  bucket: S3Bucket,
  prefix: string,
  { now, onFailure }: { readonly now: () => number; readonly onFailure: (error: Error) => void },
): { readonly first: Promise<void>; readonly stop: () => void } {
  const sweep = () => removeLeftovers(bucket, prefix, now()).catch(onFailure);
  const timer = setInterval(() => void sweep(), EVERY).unref();
  return { first: sweep(), stop: () => clearInterval(timer) };
}

async function removeLeftovers(bucket: S3Bucket, prefix: string, now: number): Promise<void> {
  let [key, id] = ['', ''];
  for (let more = true; more; ) {
    const page = await bucket.call((client, name) => client.listIncompleteUploadsQuery(name, prefix, key, id, ''));
    for (const upload of page.uploads) {
      const age = now - (upload.initiated?.getTime() ?? now);
      if (age > ABANDONED_AFTER)
        await bucket.call((client, name) => client.abortMultipartUpload(name, upload.key, upload.uploadId));
    }
    const last = page.uploads.at(-1);
    more = page.isTruncated && last !== undefined;
    [key, id] = [last?.key ?? '', last?.uploadId ?? ''];
  }
}
