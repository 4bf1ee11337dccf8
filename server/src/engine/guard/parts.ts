import { isAboutTime } from '../remote/moving-names.ts';
import type { Verdict } from './judge.ts';

export interface PartTerms {
  /** Versions of the releases that name a digest by its bytes. */
  readonly carriers: (digest: string) => Promise<readonly string[]>;
  /** What the rules say of the file as one of each of these releases. */
  readonly judged: (versions: readonly string[]) => Promise<readonly Verdict[]>;
}

/** A file that is of no release by itself. */
export interface Part {
  readonly name: string | undefined;
  readonly digest: string | undefined;
  /** What the rules say of it as of a release that nobody knows and that was seen for the first time just now. */
  readonly worst: Verdict;
}

/** What is decided of a file, and of which release that is said. */
export interface PartVerdict {
  readonly verdict: Verdict;
  readonly release?: { readonly version: string };
}

/** An index of indexes of manifests of blobs, and one more. */
const DEEPEST = 4;

/** Of a part that no release is known to name, only what no rule could refuse may be had. */
export async function judgePart({ name, digest, worst }: Part, terms: PartTerms): Promise<PartVerdict> {
  const { refused, because, observed } = worst;
  if (!refused && !because && !observed) return { verdict: worst };
  const found = digest === undefined ? undefined : await byCarriers(digest, terms, 0);
  if (found) return found;
  if (!refused) return { verdict: {} };
  if (!isAboutTime(refused)) return { verdict: worst };
  const what = [name, digest].filter((one) => one !== undefined).join(' ');
  const reason = `${what} is part of no release that was asked for here, and ${refused.rule} may refuse the one that it is part of: ask for that first`;
  return { verdict: { refused: { ...refused, reason } } };
}

/** A release that is withheld for its age alone is no younger than another that names it by its bytes. */
export async function judgeRelease(
  version: string,
  verdict: Verdict,
  terms: PartTerms,
  depth = 0,
): Promise<PartVerdict> {
  const own = { release: { version }, verdict };
  if (!verdict.refused || !isAboutTime(verdict.refused)) return own;
  const above = await byCarriers(version, terms, depth);
  return above && !above.verdict.refused ? above : own;
}

/** What releases name by its bytes may be had where one of them may: it is theirs, and no younger. Undefined: none is known. */
async function byCarriers(digest: string, terms: PartTerms, depth: number): Promise<PartVerdict | undefined> {
  const versions = (await terms.carriers(digest)).filter((version) => version !== digest);
  if (versions.length === 0) return undefined;
  const verdicts = await terms.judged(versions);
  const found = verdicts.map((verdict, at) => ({ verdict, release: { version: versions[at] ?? digest } }));
  const admitted = found.filter(({ verdict }) => !verdict.refused).toSorted((one, other) => endOf(other) - endOf(one));
  if (admitted[0]) return admitted[0];
  for (const { verdict, release } of depth < DEEPEST ? found : []) {
    const above = await judgeRelease(release.version, verdict, terms, depth + 1);
    if (!above.verdict.refused) return above;
  }
  return found.toSorted((one, other) => endOf(one) - endOf(other))[0];
}

function endOf({ verdict: { until = Number.POSITIVE_INFINITY } }: PartVerdict): number {
  return until;
}
