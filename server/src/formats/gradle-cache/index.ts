import { type ArtifactTarget, type Format, Malformed } from '../../engine/format.ts';

/** Gradle's keys are MD5 in hex; other builds that speak this protocol have longer ones. */
const ENTRY = /^(?:cache\/)?([0-9a-f]{32,128})$/;

export const gradleCache: Format<never> = {
  id: 'gradle-cache',
  traits: {
    title: 'Gradle build cache',
    purl: 'generic',
    mount: 'gradle-cache',
    kinds: ['hosted', 'virtual'],
    evidence: 'none',
    signedIndexes: false,
    redirects: false,
    notes: [
      'It holds what builds made of their sources, not packages: there is no upstream, and no rule of a package holds for an entry.',
      'A key is written again whenever a build makes it again; a reader gets one entry or the other, whole.',
      'Whoever may write can decide what others’ builds take for their own work: writing needs a token, reading does not unless `anonymous` is `none`.',
    ],
  },

  parse: ({ path }) => entryAt(path),
  roster: () => [],
  factsOf: () => [],

  index: {
    decode() {
      throw new Malformed('A Gradle build cache has no indexes');
    },
    releases: () => [],
    keep: (doc) => doc,
    merge: ([first]) => first as never,
    encode: () => undefined,
  },

  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),

  hosting: {
    receive({ method, path }) {
      const file = method === 'PUT' ? entryAt(path) : undefined;
      return file && { kind: 'file', file, replaces: true };
    },
  },
};

/** One entry, whether the client's address ends in `cache/` or not. */
function entryAt(path: string): ArtifactTarget | undefined {
  const [, key] = ENTRY.exec(path) ?? [];
  return key === undefined ? undefined : { kind: 'artifact', path: key, role: 'metadata', mutable: true };
}
