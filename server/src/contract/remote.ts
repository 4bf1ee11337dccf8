import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from './example-pem.ts';
import { Field, Value } from './field.ts';
import { Check, Resource } from './resource.ts';
import { ProxyAuth, UpstreamAuth } from './upstream-auth.ts';
import { ClientCert, Timeouts } from './upstream-connection.ts';

const OWN_HEADER = 'Entrepot sets it itself';
const HEADER_KEYS = {
  pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
  help: 'the name of an HTTP header',
  refused: {
    authorization: 'credentials belong in auth, where they are kept secret',
    'proxy-authorization': 'credentials of the proxy belong in proxy_auth',
    ...Object.fromEntries(
      ['host', 'connection', 'content-length', 'transfer-encoding', 'accept', 'accept-encoding', 'range', 'if-range']
        .concat(['if-none-match', 'if-modified-since', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive'])
        .map((header) => [header, OWN_HEADER]),
    ),
  },
};

@Resource('remote', 'A repository that mirrors an upstream and keeps what it fetched.', { collection: 'remotes' })
@Check((remote: Remote) =>
  remote.proxy_auth && remote.proxy_url === undefined
    ? [{ path: ['proxy_auth'], message: 'needs proxy_url: there is no proxy to sign in to' }]
    : [],
)
export class Remote {
  @Field.repositoryName('Name of the repository and first segment of its address.', {
    required: true,
    immutable: true,
    example: 'npm-public',
  })
  name!: string;

  @Field.text('The protocol it speaks.', { required: true, immutable: true, example: 'npm' })
  format!: string;

  @Field.url('Where packages are fetched from. Without it: the public registry of the format, where there is one.', {
    example: 'https://upstream.test',
  })
  url?: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'Everything our builds may install.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'platform' } })
  labels?: Readonly<Record<string, string>>;

  @Field.bool('Refuses deletion until it is set to false.', { example: true })
  deletion_protection = false;

  @Field.claims(
    'Names that belong to this upstream, as if they were published here: in virtuals that it is in, no other member is ever asked for one unless it claims it too, and only blocks refuse what it has of them. `*` stands for any characters.',
    { example: ['@acme/*'] },
  )
  claims?: readonly string[];

  @Field.duration('How long an index is served without asking the upstream again.', { example: '10m' })
  index_ttl = '5m';

  @Field.duration(
    'How long an artifact is served without asking the upstream again; 0: for ever, an artifact never changes.',
    {
      example: '30d',
    },
  )
  artifact_ttl = '0';

  @Field.duration('How long "not found" of the upstream is remembered; an outage is never taken for it.', {
    example: '1m',
  })
  negative_ttl = '30s';

  @Field.duration('How long after its time an index is still served while the upstream does not answer.', {
    example: '1d',
  })
  stale_if_error = '7d';

  @Field.object('How to sign in to the upstream.', UpstreamAuth, {
    example: { type: 'bearer', token: 'example-token' },
  })
  auth?: UpstreamAuth;

  @Field.map(
    'Headers sent to the upstream with every request; not secret.',
    Value.text({ minLength: 0, maxLength: 4000, pattern: ['^[\\t\\x20-\\x7e]*$', 'visible ASCII characters'] }),
    HEADER_KEYS,
    {
      maxItems: 32,
      example: { 'X-Team': 'platform' },
    },
  )
  headers?: Readonly<Record<string, string>>;

  @Field.pem(
    'Certificates of the authorities to trust for this upstream, besides the usual ones, PEM.',
    'certificates',
    {
      example: EXAMPLE_CERTIFICATE,
    },
  )
  ca_pem?: string;

  @Field.object('The certificate to show to an upstream that asks for one.', ClientCert, {
    example: { cert_pem: EXAMPLE_CERTIFICATE, key_pem: EXAMPLE_KEY },
  })
  client_cert?: ClientCert;

  @Field.url('HTTP proxy through which the upstream is reached.', { example: 'http://proxy.test:3128' })
  proxy_url?: string;

  @Field.object('How to sign in to the proxy.', ProxyAuth, {
    example: { username: 'builds', password: 'example-password' },
  })
  proxy_auth?: ProxyAuth;

  @Field.bool('Lets the upstream, and what it redirects to, be at a private, loopback or link-local address.', {
    example: true,
  })
  allow_private_network = false;

  @Field.object('How long to wait for the upstream.', Timeouts, {
    example: { connect: '5s', headers: '1m', idle: '45s' },
  })
  timeouts?: Timeouts;

  @Field.integer(
    "The most requests sent to the upstream's host at a time, transfers under way included; without it: 48. The rest wait.",
    { min: 1, max: 1000, example: 8 },
  )
  concurrency?: number;

  @Field.bytes(
    'The room for what is kept; without it: any. Above it, what was used least recently is evicted, until a tenth of it is free.',
    { example: '50GB' },
  )
  max_size?: string;

  @Field.bytes('The largest artifact that is fetched; without it: any.', { example: '2GB' })
  max_artifact_size?: string;

  @Field.bytes('The largest index that is read, after decompression.', { example: '300MB' })
  max_index_size = '150MB';

  @Field.patterns(
    'Only files whose path, or whose package name, matches one of these regular expressions (RE2 syntax) are served; without it: all.',
    {
      example: ['^@acme/'],
    },
  )
  patterns?: readonly string[];

  @Field.patterns(
    'Files whose path, or whose package name, matches one of these regular expressions (RE2 syntax) are refused, whatever `patterns` says.',
    {
      example: ['^left-pad(/|$)'],
    },
  )
  blocklist?: readonly string[];

  @Field.patterns(
    'Tags that match one of these regular expressions (RE2 syntax) are refused. A match may be anywhere in the tag: write `^latest$` for that tag alone.',
    {
      example: ['^latest$'],
    },
  )
  ban_tags?: readonly string[];

  @Field.oneOf(
    'When the upstream changes a file that must not change: `refuse` it until it is evicted, or `serve_first`, the bytes it had first.',
    ['refuse', 'serve_first'],
    { example: 'serve_first' },
  )
  on_mutation = 'refuse';

  @Field.patterns('Paths that match one of these regular expressions (RE2 syntax) change: they live by `index_ttl`.', {
    example: ['/latest/'],
  })
  mutable_patterns?: readonly string[];

  @Field.patterns(
    'Paths that match one of these regular expressions (RE2 syntax), and none of `mutable_patterns`, never change: they live by `artifact_ttl`.',
    {
      example: ['-[0-9.]+\\.tar\\.gz$'],
    },
  )
  immutable_patterns?: readonly string[];
}
