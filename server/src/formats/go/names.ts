import { Malformed } from '../../engine/format.ts';

/** Module reference, "Module paths and versions": no element begins or ends with a dot. */
const ESCAPED_PATH = /^(?:(?!\.)(?:[a-z0-9._~-]|![a-z])+(?<!\.)(?:\/(?!$)|$))+$/;
const ESCAPED_VERSION = /^(?:[^!/A-Z]|![a-z])+$/;
/** Semantic versioning with a `v`, all three numbers and no build but `+incompatible`. */
const CANONICAL = /^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+incompatible)?$/;
const PSEUDO = /[.-](?:0\.)?\d{14}-[0-9a-z]{12}(?:\+incompatible)?$/;

/** `github.com/!burnt!sushi/toml` → `github.com/BurntSushi/toml`. Throws `Malformed`. */
export function moduleOf(escaped: string): string {
  if (escaped.length > 1000 || !ESCAPED_PATH.test(escaped)) {
    throw new Malformed(
      `${JSON.stringify(escaped.slice(0, 80))} is not a module path (an upper-case letter is written as "!" and its lower-case one)`,
    );
  }
  return unescape(escaped);
}

/** A version, or a branch, tag or commit to be resolved to one; undefined when it cannot be any. */
export const versionOf = (escaped: string): string | undefined =>
  escaped.length <= 300 && ESCAPED_VERSION.test(escaped) ? unescape(escaped) : undefined;

/** Whether it names one release for ever. */
export const isCanonical = (version: string): boolean => version.length <= 300 && CANONICAL.test(version);

/** Made of a commit that no tag names: `v0.0.0-20191109021931-daa7c04131f5`. */
export const isPseudo = (version: string): boolean => PSEUDO.test(version);

export const filePath = (name: string, version: string, extension: 'info' | 'mod' | 'zip'): string =>
  `${escape(name)}/@v/${escape(version)}.${extension}`;

/** What a checksum database calls a version: `github.com/!burnt!sushi/toml@v1.5.0`. */
export const recordOf = (name: string, version: string): string => `${escape(name)}@${escape(version)}`;

/** The other way round. */
export const filePathOf = (record: string, extension: 'zip'): string => `${record.replace('@', '/@v/')}.${extension}`;

export const listPath = (name: string): string => `${escape(name)}/@v/list`;

/** A canonical path as it stands in a URL; `@` and `+` stay readable, as the go command writes them. */
export const urlPath = (path: string): string =>
  encodeURIComponent(path).replace(/%(?:2F|40|2B)/g, (escaped) => decodeURIComponent(escaped));

/** So that paths which differ in case alone are two files on every disk. */
const escape = (text: string): string => text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);

const unescape = (escaped: string): string =>
  escaped.replace(/!([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
