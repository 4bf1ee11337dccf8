import { pipeline, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import { UpstreamError } from './upstream.ts';

/** More than one is rare, more than three an attack. */
const MOST_CODINGS = 3;

type Decoder = NodeJS.ReadWriteStream & Readable;

/** The codings of a Content-Encoding header, the outermost first; `identity` left out. */
export function codingsOf(header: string | undefined): string[] {
  const codings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding !== 'identity').reverse();
}

/** The body with its codings undone, outermost first. Throws `protocol` for a coding nobody asked for. */
export function unpacked(body: Readable, codings: readonly string[], host: string): Readable {
  if (codings.length === 0) return body;
  if (codings.length > MOST_CODINGS)
    throw new UpstreamError('protocol', `${host} sent a body packed ${codings.length} times over.`);
  const decoders = codings.map((coding) => decoder(coding, host));
  // The error of any part reaches whoever reads the last; this callback only keeps it from being unhandled.
  pipeline([body, ...decoders], () => {});
  return decoders.at(-1) as Readable;
}

function decoder(coding: string, host: string): Decoder {
  const options = { chunkSize: 64 * 1024 };
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip(options);
    case 'deflate':
      return zlib.createInflate(options);
    case 'br':
      return zlib.createBrotliDecompress(options);
    case 'zstd':
      return zlib.createZstdDecompress(options);
    default:
      throw new UpstreamError(
        'protocol',
        `${host} sent a body in the Content-Encoding "${coding.slice(0, 40)}", which it was not asked for.`,
      );
  }
}
