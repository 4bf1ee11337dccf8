import { type Digest, Malformed } from '../../engine/format.ts';

/** Distribution spec, "Pulling manifests". */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
/** With the host and port before it, which are ours to add. */
const LONGEST_NAME = 255;

/** What of a request is wrong, in the words that its error's code is known by. */
const WRONG = {
  NAME_INVALID: 'is not the name of an image',
  TAG_INVALID: 'is not a tag',
  DIGEST_INVALID: 'is not a digest',
  PAGINATION_NUMBER_INVALID: 'is not a number of entries',
} as const;

type Wrong = keyof typeof WRONG;

export const isTag = (text: string): boolean => TAG.test(text);
export const isDigest = (text: string): text is Digest => DIGEST.test(text);
export const isName = (text: string): boolean => text.length <= LONGEST_NAME && NAME.test(text);

/** Throws `Malformed`. */
export function nameOf(text: string): string {
  if (isName(text)) return text;
  throw wrong(text, 'NAME_INVALID', ': lower-case letters, digits, ".", "_" and "-" between slashes');
}

/** Throws `Malformed`. */
export function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw wrong(text, 'DIGEST_INVALID', ': sha256 or sha512, a colon and all of it in lower-case hex');
}

/** Throws `Malformed`. */
export function tagOf(text: string): string {
  if (isTag(text)) return text;
  throw wrong(text, 'TAG_INVALID', ': up to 128 letters, digits, "_", "." and "-"');
}

/** How many entries a client wants on a page. Throws `Malformed`. */
export function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrong(text, 'PAGINATION_NUMBER_INVALID', '');
}

/** The code of an error that one of these throws. */
export const codeOfWrong = (message: string): Wrong | undefined =>
  (Object.keys(WRONG) as Wrong[]).find((code) => message.includes(WRONG[code]));

const wrong = (text: string, code: Wrong, rule: string): Malformed =>
  new Malformed(`${JSON.stringify(text.slice(0, 80))} ${WRONG[code]}${rule}`);
