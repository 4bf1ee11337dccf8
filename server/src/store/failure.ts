import { StoreError } from './store.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM']);

/** What a file system error means to whoever runs the server, with the path and what to do. */
export function storeFailure(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = codeOf(error);
  if (code && FULL.has(code)) {
    return new StoreError('full', `no space left for ${path} (${code}): free space or enlarge the volume`, {
      cause: error,
    });
  }
  if (code && READ_ONLY.has(code)) {
    const advice = 'make the folder writable for the user that runs Entrepot, or set ENTREPOT_DATA to another one';
    return new StoreError('read_only', `cannot write ${path} (${code}): ${advice}`, { cause: error });
  }
  if (code === 'EIO') {
    return new StoreError('corrupt', `the disk cannot read or write ${path} (EIO): check the volume`, { cause: error });
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new StoreError('unreachable', `too many open files at ${path} (${code}): raise the limit (ulimit -n)`, {
      cause: error,
    });
  }
  const what = error instanceof Error ? error.message : String(error);
  return new StoreError('unreachable', `cannot use ${path}: ${what}`, { cause: error });
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
