import type { Body, IndexTarget, Site } from '../../engine/format.ts';
import { isJson, type Json, own, ownText } from '../json.ts';
import type { Document, Legacy, List, Page } from './documents.ts';
import { type ProjectFile, provenanceOf } from './file.ts';
import { filePath, normalize, urlPath, versionOf } from './names.ts';

export const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
export const HTML_TYPE = 'application/vnd.pypi.simple.v1+html';

/** Content types by view; `legacy` is the older JSON. */
export const TYPES: Readonly<Record<string, string>> = {
  json: JSON_TYPE,
  'v1+html': HTML_TYPE,
  html: 'text/html; charset=utf-8',
  legacy: 'application/json',
};

/** Where a project's page, `/simple/<project>/`, finds what lies below the repository. */
const UP = '../../';

export function encodeDocument(doc: Document, target: IndexTarget, site: Site): Body | undefined {
  const type = TYPES[target.view];
  if (type === undefined) return undefined;
  const bytes = textOf(doc, target.view === 'json', site.base);
  return { bytes, type, ...(doc.kind !== 'legacy' && { headers: { vary: 'Accept' } }) };
}

function textOf(doc: Document, json: boolean, base: string): string {
  if (doc.kind === 'legacy') return JSON.stringify(legacy(doc, base));
  if (doc.kind === 'list') return json ? JSON.stringify(jsonList(doc)) : htmlList(doc);
  return json ? JSON.stringify(jsonPage(doc, base)) : htmlPage(doc, base);
}

/** 1.1 and later require sizes (PEP 700): without all of them the page says that it is 1.0. */
function jsonPage(page: Page, base: string): Json {
  const complete = page.files.every((file) => file.size !== undefined);
  return {
    meta: { 'api-version': complete ? '1.4' : '1.0' },
    name: page.name,
    ...(page.status && { 'project-status': page.status }),
    versions: [...new Set(page.files.map((file) => versionOf(file.filename, page.name)))],
    files: page.files.map((file) => jsonFile(file, page.name, base)),
  };
}

/** Without `dist-info-metadata`: pip 22.3 to 23.0 fail on its value (PEP 714). */
function jsonFile(file: ProjectFile, project: string, base: string): Json {
  const provenance = provenanceUrl(file, project, base);
  return {
    filename: file.filename,
    url: UP + urlPath(filePath(project, file.filename)),
    hashes: file.hashes,
    ...(file.requiresPython !== undefined && { 'requires-python': file.requiresPython }),
    ...(file.size !== undefined && { size: file.size }),
    ...(file.uploadTime !== undefined && { 'upload-time': file.uploadTime }),
    yanked: file.yanked ?? false,
    ...(file.metadata !== undefined && { 'core-metadata': file.metadata, 'data-dist-info-metadata': file.metadata }),
    ...(file.signed && { 'gpg-sig': true }),
    ...(provenance !== undefined && { provenance }),
  };
}

const jsonList = ({ names }: List): Json => ({
  meta: { 'api-version': '1.0' },
  projects: names.map((name) => ({ name })),
});

function htmlPage(page: Page, base: string): string {
  const { status, reason } = page.status ?? {};
  const meta = [
    status === undefined ? '' : `<meta name="pypi:project-status" content="${escape(status)}">\n`,
    reason === undefined ? '' : `<meta name="pypi:project-status-reason" content="${escape(reason)}">\n`,
  ];
  const links = page.files.map((file) => anchor(linkAttributes(file, page.name, base), file.filename));
  return html(`Links for ${page.name}`, links, meta.join(''));
}

function htmlList({ names }: List): string {
  return html(
    'Simple index',
    names.map((name) => anchor({ href: `${normalize(name)}/` }, name)),
  );
}

function linkAttributes(file: ProjectFile, project: string, base: string): Record<string, string | undefined> {
  const [hash] = Object.entries(file.hashes);
  const fragment = file.hashes.sha256 ? `#sha256=${file.hashes.sha256}` : hash ? `#${hash.join('=')}` : '';
  const metadata = file.metadata === undefined ? undefined : metadataText(file.metadata);
  return {
    href: UP + urlPath(filePath(project, file.filename)) + fragment,
    'data-requires-python': file.requiresPython,
    'data-core-metadata': metadata,
    'data-dist-info-metadata': metadata,
    'data-yanked': file.yanked === true ? '' : file.yanked,
    'data-gpg-sig': file.signed ? 'true' : undefined,
    'data-provenance': provenanceUrl(file, project, base),
  };
}

const metadataText = (metadata: NonNullable<ProjectFile['metadata']>): string =>
  metadata !== true && metadata.sha256 ? `sha256=${metadata.sha256}` : 'true';

/** PEP 740 wants an absolute https address, so over http there is none. */
function provenanceUrl(file: ProjectFile, project: string, base: string): string | undefined {
  const path = base.startsWith('https:') ? provenanceOf(file, project) : undefined;
  return path && `${base}/${urlPath(path)}`;
}

const html = (title: string, lines: readonly string[], meta = ''): string => `<!DOCTYPE html>
<html>
<head>
<meta name="pypi:repository-version" content="1.4">
${meta}<title>${escape(title)}</title>
</head>
<body>
<h1>${escape(title)}</h1>
${lines.join('<br>\n')}
</body>
</html>
`;

function anchor(attributes: Readonly<Record<string, string | undefined>>, text: string): string {
  const written = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}="${escape(value)}"`],
  );
  return `<a${written.join('')}>${escape(text)}</a>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);

/** `info` stays as the upstream has it; files that are withheld, and versions without files left, are not listed. */
function legacy({ json, name, files }: Legacy, base: string): Json {
  const shown = new Set(files.map((file) => file.filename));
  const releases = own(json, 'releases');
  return {
    ...json,
    ...(isJson(releases) && { releases: Object.fromEntries(Object.entries(releases).flatMap(release)) }),
    urls: entries(own(json, 'urls')),
  };

  function release([version, list]: [string, unknown]): readonly [string, unknown][] {
    const left = entries(list);
    return left.length > 0 || (Array.isArray(list) && list.length === 0) ? [[version, left]] : [];
  }

  function entries(list: unknown): readonly Json[] {
    const found = Array.isArray(list) ? list.filter(isJson) : [];
    return found.flatMap((entry) => {
      const filename = ownText(entry, 'filename');
      if (filename === undefined || !shown.has(filename)) return [];
      return [{ ...entry, url: `${base}/${urlPath(filePath(name, filename))}` }];
    });
  }
}
