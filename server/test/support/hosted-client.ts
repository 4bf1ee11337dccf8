import { createHash } from 'node:crypto';
import { sri } from './npm-package.ts';
import type { TestServer } from './test-server.ts';

export interface Release {
  readonly name: string;
  readonly version: string;
  readonly tarball: Uint8Array;
  readonly tags?: Readonly<Record<string, string>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** What npm sends to publish. */
export function npmDocument({ name, version, tarball, tags, manifest }: Release): Record<string, unknown> {
  const bytes = Buffer.from(tarball);
  const file = `${name}-${version}.tgz`;
  const shasum = createHash('sha1').update(bytes).digest('hex');
  const dist = { integrity: sri(bytes), shasum, tarball: `http://elsewhere.test/${name}/-/${file}` };
  return {
    _id: name,
    name,
    'dist-tags': tags ?? { latest: version },
    versions: { [version]: { name, version, dist, ...manifest } },
    access: null,
    _attachments: {
      [file]: { content_type: 'application/octet-stream', data: bytes.toString('base64'), length: bytes.length },
    },
  };
}

/** Talks to one repository of a server, with its token. */
export class HostedClient {
  readonly server: Pick<TestServer, 'url' | 'token'>;
  readonly repository: string;

  constructor(server: Pick<TestServer, 'url' | 'token'>, repository: string) {
    this.server = server;
    this.repository = repository;
  }

  async send(
    method: string,
    path: string,
    body?: RequestInit['body'],
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.server.url}/${this.repository}/${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${this.server.token}`, ...headers },
      ...(body === undefined ? {} : { body: body as never }),
    });
  }

  json(method: string, path: string, body: unknown): Promise<Response> {
    return this.send(method, path, JSON.stringify(body), { 'content-type': 'application/json' });
  }

  /** Publishes as npm does. */
  publish(release: Release): Promise<Response> {
    return this.json('PUT', release.name.replace('/', '%2f'), npmDocument(release));
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever the test looks at
  async read(path: string, headers: Record<string, string> = {}): Promise<any> {
    return (await this.send('GET', path, undefined, headers)).json();
  }

  /** Uploads as twine does. */
  upload(
    fields: Readonly<Record<string, string>>,
    file: { readonly name: string; readonly bytes: Uint8Array },
  ): Promise<Response> {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ':action': 'file_upload', protocol_version: '1', ...fields }))
      form.append(name, value);
    form.append('content', new Blob([Buffer.from(file.bytes)]), file.name);
    return this.send('POST', 'legacy/', form);
  }
}
