import { Parser } from 'htmlparser2';
import { Malformed, type RawDocument } from '../../engine/format.ts';
import type { List, Page } from './documents.ts';
import { type ProjectFile, usableHashes } from './file.ts';
import { fileUrl, firstOfEach, isDistribution, isProject, normalize } from './names.ts';

type Attributes = Readonly<Record<string, string>>;

/** PEP 503, with what later PEPs put into attributes. Throws `Malformed`. */
export function readHtmlPage(raw: RawDocument, project: string): Page {
  const { anchors, meta, base } = read(raw, `The page of ${project}`);
  const files = firstOfEach(anchors.flatMap(({ attributes }) => pageFile(attributes, base)));
  const status = meta.get('pypi:project-status');
  const reason = meta.get('pypi:project-status-reason');
  return { kind: 'page', name: project, files, ...(status && { status: { status, ...(reason && { reason }) } }) };
}

export function readHtmlList(raw: RawDocument): List {
  const { anchors, base } = read(raw, 'The list of projects');
  return { kind: 'list', names: anchors.flatMap(({ attributes, text }) => projectName(attributes, text.trim(), base)) };
}

/** A page may link elsewhere too: a project's link ends in the name that it shows. */
function projectName({ href }: Attributes, text: string, base: string): readonly string[] {
  const segment = fileUrl(href, base)
    ?.pathname.split('/')
    .findLast((each) => each !== '');
  return segment !== undefined && isProject(text) && normalize(segment) === normalize(text) ? [text] : [];
}

interface Html {
  readonly anchors: readonly { readonly attributes: Attributes; readonly text: string }[];
  readonly meta: ReadonlyMap<string, string>;
  /** What links are relative to. */
  readonly base: string;
}

function read(raw: RawDocument, what: string): Html {
  const anchors: { attributes: Attributes; text: string }[] = [];
  const meta = new Map<string, string>();
  let base: string | undefined;
  let open: { attributes: Attributes; text: string } | undefined;
  let markup = false;
  const parser = new Parser({
    onopentag(tag, attributes) {
      markup = true;
      // No index has a form; a page that asks for a password, answered with 200, has.
      if (tag === 'form' || tag === 'input') throw new Malformed(`${what} is a web page with a form, perhaps a login`);
      if (tag === 'base') base ??= fileUrl(attributes.href, raw.url)?.href;
      if (tag === 'meta' && attributes.name) meta.set(attributes.name, attributes.content ?? '');
      if (tag !== 'a') return;
      open = { attributes, text: '' };
      anchors.push(open);
    },
    ontext(text) {
      if (open) open.text += text;
    },
    onclosetag(tag) {
      if (tag === 'a') open = undefined;
    },
  });
  parser.end(new TextDecoder().decode(raw.bytes));
  if (!markup) throw new Malformed(`${what} is neither HTML nor JSON`);
  return { anchors, meta, base: base ?? raw.url };
}

function pageFile(attributes: Attributes, base: string): readonly ProjectFile[] {
  const url = fileUrl(attributes.href?.trim(), base);
  const filename = url && fileName(url);
  if (url === undefined || filename === undefined || !isDistribution(filename)) return [];
  const hashes = usableHashes(new URLSearchParams(new URL(attributes.href?.trim() ?? '', base).hash.slice(1)));
  const metadata = metadataOf(attributes['data-core-metadata'] ?? attributes['data-dist-info-metadata']);
  const requiresPython = attributes['data-requires-python'];
  const yanked = attributes['data-yanked'];
  const provenance = fileUrl(attributes['data-provenance'], base)?.href;
  const uploadTime = attributes['data-upload-time'];
  return [
    {
      filename,
      url: url.href,
      hashes,
      ...(requiresPython && { requiresPython }),
      ...(metadata !== undefined && { metadata }),
      ...(attributes['data-gpg-sig'] === 'true' && { signed: true }),
      ...(yanked !== undefined && { yanked: yanked || true }),
      ...(provenance !== undefined && { provenance }),
      ...(uploadTime && { uploadTime }),
    },
  ];
}

/** As pip takes it: the last segment of the link, whatever its text says. */
function fileName(url: URL): string | undefined {
  try {
    return decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}

/** `sha256=<hex>` or `true`. */
function metadataOf(value: string | undefined): ProjectFile['metadata'] {
  if (value === undefined || value === '' || value === 'false') return undefined;
  const hashes = usableHashes(new URLSearchParams(value));
  return Object.keys(hashes).length > 0 ? hashes : true;
}
