import type { VersionOrder } from '../../engine/format.ts';

/** Debian Policy 5.6.12; as dpkg, it takes a version that does not begin with a digit. */
export const debianOrder: VersionOrder = {
  canonical(version) {
    if (!VERSION.test(version) || version.length > LONGEST) return undefined;
    const { epoch, upstream, revision } = parts(version);
    return `${epoch === '' ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`;
  },
  compare(left, right) {
    const [one, other] = [parts(left), parts(right)];
    return (
      compareText(one.epoch, other.epoch) ||
      compareText(one.upstream, other.upstream) ||
      compareText(one.revision ?? '', other.revision ?? '')
    );
  },
  isPrerelease: (version) => version.includes('~'),
};

const VERSION = /^(?:\d+:[A-Za-z0-9.+~:-]+|[A-Za-z0-9.+~-]+)$/;
const LONGEST = 500;

function parts(version: string): { readonly epoch: string; readonly upstream: string; readonly revision?: string } {
  const colon = version.indexOf(':');
  const dash = version.lastIndexOf('-');
  const epoch = version.slice(0, Math.max(0, colon)).replace(/^0+/, '');
  const upstream = version.slice(colon + 1, dash > colon ? dash : undefined);
  return { epoch, upstream, ...(dash > colon ? { revision: version.slice(dash + 1) } : {}) };
}

/** Runs of other characters and runs of digits in turn, from the left. */
function compareText(left: string, right: string): number {
  const [ones, others] = [runs(left), runs(right)];
  for (let at = 0; at < Math.max(ones.length, others.length); at++) {
    const [one = '', other = ''] = [ones[at], others[at]];
    const compared = at % 2 === 0 ? compareWords(one, other) : compareNumbers(one, other);
    if (compared !== 0) return compared;
  }
  return 0;
}

/** Always begins with a run of other characters, an empty one where there is none. */
function runs(text: string): readonly string[] {
  return Array.from(text.matchAll(/(\D*)(\d*)/g)).flatMap(([, word = '', digits = '']) => [word, digits]);
}

function compareWords(left: string, right: string): number {
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const compared = rank(left[at]) - rank(right[at]);
    if (compared !== 0) return compared;
  }
  return 0;
}

/** A tilde comes before the end, the end before letters, letters before the rest. */
function rank(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

function compareNumbers(left: string, right: string): number {
  const [one, other] = [BigInt(left), BigInt(right)];
  return Number(one > other) - Number(one < other);
}
