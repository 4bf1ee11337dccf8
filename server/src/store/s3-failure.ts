import { codeOf } from './failure.ts';
import { S3Busy, S3Silent } from './s3-transport.ts';
import { StoreError } from './store.ts';

const FULL = new Set([
  'QuotaExceeded',
  'InsufficientStorage',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'StorageFull',
]);
const KEY = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken']);
const CUT = new Set(['XAmzContentSHA256Mismatch', 'BadDigest', 'IncompleteBody', 'RequestTimeout']);
const NETWORK = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);

/** Whether the same call may succeed a moment later. What nobody answered in time is not asked again: somebody waits. */
export function isPassing(error: unknown): boolean {
  if (error instanceof S3Busy) return error.status !== 501 && error.status !== 507;
  const code = codeOf(error);
  return code !== undefined && (NETWORK.has(code) || CUT.has(code) || code === 'OperationAborted');
}

/** There is no such object. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'NotFound' || code === 'NoSuchKey';
}

/** What an error of S3 means to whoever runs the server, with bucket and endpoint and what to do. Never with a key. */
export function s3Failure(error: unknown, { bucket, endpoint }: { bucket: string; endpoint: string }): StoreError {
  if (error instanceof StoreError) return error;
  const failure = (reason: StoreError['reason'], message: string) => new StoreError(reason, message, { cause: error });
  const where = `the bucket ${bucket} at ${endpoint}`;
  if (error instanceof S3Silent) return failure('unreachable', `${where} does not answer: ${error.message}`);
  const code = codeOf(error) ?? '';
  if (FULL.has(code) || (error instanceof S3Busy && error.status === 507))
    return failure('full', `no space left in ${where} (${code || 507}): free space or raise its quota`);
  if (error instanceof S3Busy) return failure('unreachable', `${where} cannot be used: ${error.message}`);
  if (code === 'NoSuchBucket')
    return failure('unreachable', `there is no bucket ${bucket} at ${endpoint}: make it, or name another one`);
  if (KEY.has(code))
    return failure('unreachable', `${endpoint} refuses the key for the bucket ${bucket} (${code}): check it`);
  if (code === 'AccessDenied')
    return failure(
      'read_only',
      `the key is wrong or may not do this in ${where} (${code}): docs/storage.md has the permissions`,
    );
  if (code === 'RequestTimeTooSkewed')
    return failure('unreachable', `${endpoint} has another time than this machine (${code}): set the clocks`);
  if (CUT.has(code)) return failure('corrupt', `bytes were damaged on their way to ${where} (${code})`);
  return failure('unreachable', `cannot use ${where}: ${describe(error, code)}`);
}

function describe(error: unknown, code: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' || message.includes(code) ? message || code : `${message} (${code})`;
}
