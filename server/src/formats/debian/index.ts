import type { Format } from '../../engine/format.ts';
import { targetAt } from './layout.ts';
import { decodeList, type PackageList } from './lists.ts';
import { placesOf } from './places.ts';
import { chosenOf, decodeRoot, partsOf, type Root } from './root.ts';
import { debianOrder } from './version-order.ts';

export const debian: Format<Root | PackageList> = {
  id: 'debian',
  traits: {
    title: 'Debian',
    purl: 'deb',
    mount: 'debian',
    evidence: 'last_modified',
    signedIndexes: true,
    notes: [
      'InRelease, Release and every file they list pass byte for byte, so that apt verifies the archive’s own signature; nothing is hidden from them, a package that is withheld is refused.',
      'The files that a Release file lists are always of its own generation, also while the upstream publishes another.',
      'Packages and Sources have no times: when a package became public, the Last-Modified of its file says at best.',
      'A package is known by the Packages or Sources file that lists it, once a client has asked for one; before that by its file name, which lacks the epoch: a rule about some of its versions refuses it until then.',
      'Lists compressed as .lzma or .lz4, and .bz2 above 8 MB, are passed on and checked, but not read.',
      'Package URLs have the vendor that the remote’s option `debian.vendor` names.',
    ],
  },

  parse({ method, path }) {
    return method === 'GET' || method === 'HEAD' ? targetAt(path) : undefined;
  },

  locate: placesOf,
  versions: debianOrder,
  roster: () => [],
  factsOf: () => [],

  index: {
    decode: (raw, target) => (target.view === 'release' ? decodeRoot(raw, target) : decodeList(raw, target)),
    parts: (doc) => (doc.kind === 'root' ? partsOf(doc) : []),
    releases: (doc) => (doc.kind === 'list' ? doc.releases : []),
    keep: (doc) => doc,
    choose: (doc, select) => (doc.kind === 'root' ? chosenOf(doc, select) : undefined),
    merge: ([first]) => first as Root | PackageList,
    encode: () => undefined,
  },

  purl: (name, { vendor }) => ({ namespace: typeof vendor === 'string' ? vendor : 'debian', name }),

  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),
};
