import {
  type ArtifactTarget,
  type Change,
  Malformed,
  type NewFile,
  type ProtocolRequest,
  type Publication,
  type Sent,
  type SentFile,
} from '../../engine/format.ts';
import { canonicalVersion, filePath, isDistribution, isProject, normalize, versionOf } from './names.ts';

/** What we keep of a file, from its own metadata where it has any, else from the form. */
export interface Kept {
  readonly requiresPython?: string;
  readonly summary?: string;
}

/** Bytes of a form besides its files: a long description, hundreds of classifiers. */
const FORM = 8 * 1024 * 1024;
const UPLOAD = /^(?:(?:legacy|simple|upload)\/?)?$/;
/** Bytes of a digest's hex; BLAKE2, which Python clients send too, is not checked. */
const DIGESTS = { md5_digest: ['md5', 32], sha256_digest: ['sha256', 64] } as const;
const KINDS = /\.(?:whl|tar\.gz|zip)$/;
const METADATA = /^[^/]+\.dist-info\/METADATA$/;

/** The upload API of the public Python index, "legacy" by its name: one file in each form. */
export function receive({ method, path }: ProtocolRequest): Publication | undefined {
  if (method !== 'POST' || !UPLOAD.test(path)) return undefined;
  return {
    kind: 'change',
    body: {
      shape: 'form',
      limit: FORM,
      hashes: ['md5'],
      entryOf: (file) => (file.endsWith('.whl') ? METADATA : undefined),
    },
    package: (sent) => normalize(projectOf(sent)),
    change: (sent) => upload(sent),
  };
}

function upload(sent: Sent): Change {
  const action = field(sent, ':action');
  if (action !== 'file_upload') throw new Malformed(`":action" must be file_upload, not ${quoted(action)}`);
  const files = sent.files.filter(({ part }) => part === 'content');
  const [content] = files;
  if (!content || files.length > 1) throw new Malformed('An upload has one file, called "content"');
  requireDigests(sent, content);
  if (field(sent, 'attestations') !== undefined)
    throw new Malformed('Attestations are not kept here: upload without them');
  const project = normalize(projectOf(sent));
  const version = versionSaid(sent);
  requireNamed(content, project, version);
  const headers = content.fileName.endsWith('.whl') ? wheelHeaders(content, project, version) : undefined;
  const requiresPython = headers ? headers.get('requires-python') : field(sent, 'requires_python');
  const summary = headers ? headers.get('summary') : field(sent, 'summary');
  const kept: Kept = { ...(requiresPython && { requiresPython }), ...(summary && { summary }) };
  const path = filePath(project, content.fileName);
  const common = { kind: 'artifact', name: project, version } as const;
  const target: ArtifactTarget = { ...common, path, role: 'package', type: 'application/octet-stream' };
  return {
    files: [{ target, from: content, metadata: kept }, ...besides(sent, content, target)],
    answer: { bytes: 'OK\n', type: 'text/plain; charset=utf-8' },
  };
}

/** Its metadata, which installers read before the wheel (PEP 658), and its signature. */
function besides(sent: Sent, content: SentFile, { path, ...target }: ArtifactTarget): readonly NewFile[] {
  const metadata: ArtifactTarget = {
    ...target,
    path: `${path}.metadata`,
    role: 'metadata',
    type: 'text/plain; charset=utf-8',
  };
  const signature: ArtifactTarget = {
    ...target,
    path: `${path}.asc`,
    role: 'signature',
    type: 'application/pgp-signature',
  };
  const signed = sent.files.find(({ part }) => part === 'gpg_signature');
  return [
    ...(content.entry ? [{ target: metadata, from: { bytes: content.entry } }] : []),
    ...(signed ? [{ target: signature, from: signed }] : []),
  ];
}

function projectOf(sent: Sent): string {
  const name = field(sent, 'name');
  if (name === undefined || !isProject(name)) throw new Malformed(`${quoted(name)} is not a valid PyPI project name`);
  return name;
}

function versionSaid(sent: Sent): string {
  const said = field(sent, 'version');
  const version = said === undefined ? undefined : canonicalVersion(said);
  if (version === undefined) throw new Malformed(`${quoted(said)} is not a version (PEP 440)`);
  return version;
}

/** The form says nothing that the file's own name does not. */
function requireNamed({ fileName }: SentFile, project: string, version: string): void {
  if (!isDistribution(fileName) || !KINDS.test(fileName))
    throw new Malformed(`${quoted(fileName)} is neither a wheel nor a source distribution (.whl, .tar.gz, .zip)`);
  const isOfProject = fileName.endsWith('.whl')
    ? normalize(fileName.split('-')[0] ?? '') === project &&
      /^[^-]+-[^-]+(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl$/.test(fileName)
    : versionOf(fileName, project) !== fileName.replace(KINDS, '');
  if (!isOfProject) throw new Malformed(`${quoted(fileName)} is not a file of ${project}`);
  const named = versionOf(fileName, project);
  if (named !== version) throw new Malformed(`${quoted(fileName)} is of version ${named}, not ${version}`);
}

/** Throws `Malformed` where a wheel is none, or is of another project or version than it is called. */
function wheelHeaders({ fileName, entry }: SentFile, project: string, version: string): ReadonlyMap<string, string> {
  if (!entry) throw new Malformed(`${fileName} is a wheel without METADATA`);
  const headers = headersOf(new TextDecoder().decode(entry));
  const name = normalize(headers.get('name') ?? '');
  const own = canonicalVersion(headers.get('version') ?? '');
  if (name !== project || own !== version)
    throw new Malformed(`The METADATA in ${fileName} is of ${name} ${own ?? headers.get('version')}`);
  return headers;
}

/** The first of each name, in lower case (RFC 822, core metadata); a line that begins with white space goes on. */
function headersOf(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const [head = ''] = text.split(/\r?\n\r?\n/, 1);
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function requireDigests(sent: Sent, { fileName, hashes }: SentFile): void {
  for (const [name, [algorithm, length]] of Object.entries(DIGESTS)) {
    const said = field(sent, name)?.toLowerCase();
    if (said === undefined || said === '') continue;
    if (said.length !== length || !/^[0-9a-f]+$/.test(said)) throw new Malformed(`"${name}" is no ${algorithm} digest`);
    if (said !== hashes[algorithm])
      throw new Malformed(`${fileName} does not have the ${algorithm} digest that the form says`);
  }
}

function field({ fields }: Sent, name: string): string | undefined {
  const values = fields.get(name) ?? [];
  if (values.length > 1) throw new Malformed(`The form has "${name}" ${values.length} times`);
  return values[0];
}

const quoted = (text: string | undefined): string =>
  text === undefined ? 'nothing' : JSON.stringify(text.slice(0, 100));
