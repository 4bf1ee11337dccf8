import { once } from 'node:events';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { Malformed } from '../format.ts';

export interface FormPart {
  /** Name of the field. */
  readonly part: string;
  readonly fileName: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

const MOST_FIELDS = 5000;
const MOST_FILES = 10;

/**
 * Takes a `multipart/form-data` body apart while it arrives (RFC 7578); `take` reads each file to its end. Resolves to the
 * fields. Throws `Malformed`, and whatever `take` or the body throws.
 */
export async function formFiles(
  type: string | undefined,
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  take: (file: FormPart) => Promise<void>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const fields = new Map<string, string[]>();
  const taking: Promise<void>[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (error: unknown): void => failed.reject(error);
  const unreadable = (error: Error): void =>
    fail(new Malformed(`The form cannot be read: ${error.message}`, { cause: error }));
  let size = 0;
  const form = parserOf(type, limit);
  form.on('error', unreadable);
  form.on('file', (part: string, stream: BusboyFileStream, fileName: string) => {
    stream.on('error', unreadable);
    taking.push(take({ part, fileName, chunks: stream }).catch(fail));
  });
  form.on('field', (name: string, value: string, nameTruncated: boolean, valueTruncated: boolean) => {
    size += name.length + value.length;
    if (nameTruncated || valueTruncated || size > limit)
      fail(new Malformed(`The form has over ${limit} bytes besides the files in it`));
    const known = fields.get(name);
    if (known) known.push(value);
    else fields.set(name, [value]);
  });
  form.on('fieldsLimit', () => fail(new Malformed(`The form has more than ${MOST_FIELDS} fields`)));
  form.on('filesLimit', () => fail(new Malformed(`The form has more than ${MOST_FILES} files`)));
  const finished = once(form, 'finish');
  finished.catch(() => {});
  try {
    for await (const chunk of chunks) {
      const drained = form.write(chunk) || once(form, 'drain');
      await Promise.race([failed.promise, drained]);
    }
    form.end();
    await Promise.race([failed.promise, finished]);
    await Promise.race([failed.promise, Promise.all(taking)]);
    return fields;
  } finally {
    form.destroy();
  }
}

function parserOf(type: string | undefined, limit: number): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { 'content-type': type ?? '' },
      limits: { fields: MOST_FIELDS, files: MOST_FILES, fieldSize: limit, fieldNameSize: 200, headerPairs: 50 },
    });
  } catch (error) {
    throw new Malformed('What is published here is sent as a form (multipart/form-data)', { cause: error });
  }
}
