import { Fault } from './fault.ts';

const LONGEST = 8192;

/**
 * The one canonical spelling of a request's path: percent-decoded once, no leading slash, a trailing slash kept, segments
 * of one dot removed (apt sends them for a flat repository). Whatever could make two spellings mean different things to two
 * readers (other dot segments, empty segments, backslash, NUL, control characters, bytes that are not UTF-8) is refused
 * with `invalid`, before any format sees it.
 */
export function canonicalPath(raw: string): string {
  if (raw.length > LONGEST) throw new Fault('invalid', `The path is longer than ${LONGEST} bytes.`);
  const path = decode(raw.startsWith('/') ? raw.slice(1) : raw);
  if (hasControlCharacter(path)) throw new Fault('invalid', 'The path has a control character in it.');
  if (path.includes('\\')) throw new Fault('invalid', 'The path has a backslash in it.');
  const segments = path.split('/');
  for (const [position, segment] of segments.entries()) {
    if (segment === '..') throw new Fault('invalid', 'The path has a dot segment in it.');
    if (segment === '' && position < segments.length - 1)
      throw new Fault('invalid', 'The path has an empty segment in it.');
  }
  return segments.includes('.') ? withoutDots(segments) : path;
}

/** The inverse, for upstreams: each segment percent-encoded on its own; `@`, `+` and `:` stay, as package URLs use them. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replace(/%(40|2B|3A|24|2C|3B|3D|26)/g, (escape) => decodeURIComponent(escape)),
    )
    .join('/');
}

/** RFC 3986 §5.2.4: a last one leaves its slash. */
function withoutDots(segments: readonly string[]): string {
  const kept = segments.filter((segment) => segment !== '.');
  return segments.at(-1) === '.' && kept.length > 0 ? `${kept.join('/')}/` : kept.join('/');
}

function decode(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new Fault('invalid', 'The path has a percent-encoding that does not decode to UTF-8.');
  }
}

function hasControlCharacter(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
