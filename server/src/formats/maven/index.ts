import type { Format, IndexTarget } from '../../engine/format.ts';
import { checksumHeaders, readChecksum } from './checksum.ts';
import { checksumOf, groupsIn, rosterOf, targetAt } from './layout.ts';
import { decodeMetadata, encodeMetadata, keepFiles, type Metadata, mergeMetadata } from './metadata.ts';
import { mavenOrder } from './versions.ts';

export const maven: Format<Metadata> = {
  id: 'maven',
  traits: {
    title: 'Maven',
    purl: 'maven',
    mount: 'maven',
    upstream: { sample: 'pkg:maven/a/b@1', file: 'a/b/1/b-1.jar' },
    evidence: 'last_modified',
    signedIndexes: false,
    notes: [
      'maven-metadata.xml names versions, not files or times: a version is hidden from it when its pom is refused.',
      'Where a rule asks for the age of versions, their poms are asked for with HEAD, the newest first and each once; where the upstream sends Last-Modified with maven-metadata.xml and that is old enough, none is.',
      'Whose a file is stands in its path, so repositories without maven-metadata.xml work; every file is refused by the same rules.',
      'A file is checked against the upstream’s .sha1 before it is kept; where there is none, it is not checked.',
      'Checksums of maven-metadata.xml are those of what is served here; all other checksums and signatures are the upstream’s files.',
      'Gradle plugins are Maven artifacts: mirror their portal as a remote of its own.',
    ],
  },

  parse({ method, path }) {
    return method === 'GET' || method === 'HEAD' ? targetAt(path) : undefined;
  },

  versions: mavenOrder,
  roster: rosterOf,
  factsOf: (target) => (target.name === undefined ? [] : rosterOf(target.name, target).map(optional)),

  mentions: (target) => (target.kind === 'index' ? groupsIn(target) : []),

  checksum: {
    of(target) {
      const beside = checksumOf(target);
      return beside && { target: beside, algorithm: 'sha1' };
    },
    read: readChecksum,
  },

  index: {
    decode: decodeMetadata,
    releases: ({ releases }) => releases,
    keep: keepFiles,
    merge: mergeMetadata,
    encode: encodeMetadata,
  },

  headers: checksumHeaders,
  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),
};

const optional = (target: IndexTarget): IndexTarget => ({ ...target, optional: true });
