import type { Traits } from '../engine/format.ts';

interface Described extends Traits {
  readonly id: string;
}

const EVIDENCE: Readonly<Record<Traits['evidence'], string>> = {
  index: 'the index, set by the registry',
  details: 'a document of the release',
  last_modified: 'Last-Modified of the file, where the upstream sends it',
  author: 'the author, who can backdate it',
  none: 'none',
};

const NO_REDIRECTS =
  'Files are always sent from here, also with `storage.redirect`: some of its clients do not follow a redirect.';

/** What each format can and cannot do, from its traits. */
export function formatsPage(formats: readonly Described[]): string {
  return [
    '# Formats',
    "Generated from the formats' traits: change those, then run `npm run generate`.",
    [
      '| format | address | upstream by default | when a release became public | clients check signed indexes |',
      '| --- | --- | --- | --- | --- |',
      ...formats.map(line),
    ].join('\n'),
    ...formats.flatMap(({ id, title, notes, redirects }) => [
      `## ${title}`,
      [...notes, ...(redirects === false ? [NO_REDIRECTS] : [])].map((note) => `- ${note}`).join('\n'),
      `Requests and details: [\`formats/${id}/readme.md\`](../server/src/formats/${id}/readme.md).`,
    ]),
    '',
  ].join('\n\n');
}

const EVIDENCE_PART = /(?<=<!-- evidence -->\n)[\s\S]*?(?=<!-- \/evidence -->)/;

/** The page on policy, with what dates each format's releases between its marks. Throws where it has none. */
export function policyPage(page: string, formats: readonly Described[]): string {
  if (!EVIDENCE_PART.test(page)) throw new Error('docs/policy.md has no <!-- evidence --> to put the table in');
  const rows = formats.map(({ id, title, evidence }) => {
    const covered = evidence === 'none' ? 'only where a cooldown names it' : 'yes';
    return `| ${title} (\`${id}\`) | ${EVIDENCE[evidence]} | ${covered} |`;
  });
  const head = ['| format | when a release became public | `default` covers it |', '| --- | --- | --- |'];
  return page.replace(EVIDENCE_PART, () => `\n${[...head, ...rows].join('\n')}\n\n`);
}

function line({ id, title, mount, root, kinds, upstream, evidence, signedIndexes }: Described): string {
  const mirrored = upstream ? `the public ${title} registry` : 'none: `url` is required';
  const byDefault = kinds && !kinds.includes('remote') ? 'none: it holds what is published to it' : mirrored;
  const cells = [
    `${title} (\`${id}\`)`,
    `\`/${root === undefined ? '' : `${root}/`}${mount}/\``,
    byDefault,
    EVIDENCE[evidence],
    signedIndexes ? 'yes' : 'no',
  ];
  return `| ${cells.join(' | ')} |`;
}
