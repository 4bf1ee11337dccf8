const { join } = require('node:path');

const TESTS = '(\\.test|\\.contract|/samples|/fixtures)\\.ts$';
const src = (folders) => `^server/src/(${folders})/`;
const outside = (folders) => ({
  path: '^(server|terraform-provider)/',
  pathNot: ['node_modules/', `^server/src/(${folders})`],
});

/** The import rules of docs/architecture.md. */
module.exports = {
  forbidden: [
    {
      name: 'formats-are-pure',
      comment: 'A format imports engine/format.ts and what lies in formats/; nothing else of ours.',
      severity: 'error',
      from: { path: src('formats'), pathNot: [TESTS, '/options\\.ts$'] },
      to: outside('formats/|engine/format\\.ts$'),
    },
    {
      name: 'format-options-are-contract',
      comment: "A format's options.ts imports the contract besides.",
      severity: 'error',
      from: { path: `${src('formats')}.*/options\\.ts$` },
      to: outside('formats/|engine/format\\.ts$|contract/index\\.ts$'),
    },
    {
      name: 'formats-stand-alone',
      comment: 'One format never imports another.',
      severity: 'error',
      from: { path: '^server/src/formats/([^/]+)/' },
      to: { path: '^server/src/formats/[^/]+/', pathNot: '^server/src/formats/$1/' },
    },
    {
      name: 'formats-do-no-input-or-output',
      comment: 'Fetching, storing, processes and sockets belong to sources.',
      severity: 'error',
      from: { path: src('formats'), pathNot: TESTS },
      to: {
        path: '^(node:)?(fs|net|http|https|http2|tls|dns|child_process|worker_threads)(/|$)|(^|/)node_modules/undici/',
      },
    },
    {
      name: 'engine-knows-no-format',
      severity: 'error',
      from: { path: src('engine'), pathNot: TESTS },
      to: { path: src('formats') },
    },
    {
      name: 'policy-and-log-are-pure',
      comment: 'policy and tlog import nothing of ours.',
      severity: 'error',
      from: { path: '^server/src/(policy|tlog)/', pathNot: TESTS },
      to: { path: '^(server|terraform-provider)/', pathNot: ['node_modules/', '^server/src/$1/'] },
    },
    {
      name: 'below-the-engine',
      comment:
        'contract, coordination, ledger, store and upstream import nothing of ours but themselves, and never the engine.',
      severity: 'error',
      from: { path: '^server/src/(contract|coordination|ledger|store|upstream)/', pathNot: TESTS },
      to: { path: '^(server|terraform-provider)/', pathNot: ['node_modules/', '^server/src/$1/'] },
    },
    {
      name: 'engine-over-its-ports',
      comment:
        'The engine imports policy, store, ledger, upstream, contract and coordination, and nothing that is built on it.',
      severity: 'error',
      from: { path: src('engine'), pathNot: TESTS },
      to: outside('(engine|policy|store|ledger|upstream|contract|coordination)/'),
    },
    {
      name: 'space-over-ports',
      comment: 'What looks after the room knows the ledger and the store, and of the engine what it must tell.',
      severity: 'error',
      from: { path: src('space'), pathNot: TESTS },
      to: outside('(space|ledger|store)/|engine/(events|log|objects)\\.ts$'),
    },
    {
      name: 'maintenance-over-ports',
      comment: 'What keeps an installation serves nobody: it knows neither engine nor formats.',
      severity: 'error',
      from: { path: src('maintenance'), pathNot: TESTS },
      to: outside('(maintenance|app|access|schema|ledger|store)/'),
    },
    {
      name: 'nest-in-api-and-app-only',
      severity: 'error',
      from: { path: '^(server|terraform-provider)/', pathNot: '^server/(src/(api|app)|test)/' },
      to: { path: '(^|/)node_modules/@nestjs/' },
    },
    {
      name: 'typeorm-in-ledger-only',
      severity: 'error',
      from: { path: '^(server|terraform-provider)/', pathNot: '^server/src/ledger/' },
      to: { path: '(^|/)node_modules/(typeorm|@nestjs/typeorm)/' },
    },
    {
      name: 'network-in-upstream-only',
      comment: 'Only upstream/ opens connections to upstream servers; the store opens its own to S3.',
      severity: 'error',
      from: { path: '^server/src/', pathNot: ['^server/src/(upstream|app|api)/', '^server/src/store/s3-', TESTS] },
      to: { path: '(^|/)node_modules/undici/|^(node:)?(http2?|https|net|tls)$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'clients-of-the-api',
      comment:
        'The CLI knows the server by schema.json and the management API; only local.ts, which serves, and local-*.ts, for which no server need run, start the app.',
      severity: 'error',
      from: { path: src('cli'), pathNot: [TESTS, '^server/src/cli/local\\.ts$', '^server/src/cli/local-[a-z]+\\.ts$'] },
      to: outside('cli/'),
    },
    {
      name: 'provider-stands-alone',
      comment: 'The Terraform provider knows the server by schema.json and the management API.',
      severity: 'error',
      from: { path: '^terraform-provider/src/', pathNot: TESTS },
      to: {
        path: '^(server|terraform-provider)/',
        pathNot: ['node_modules/', '^terraform-provider/(src/|schema\\.json$|package\\.json$)'],
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(server|terraform-provider)/src/' },
      to: { circular: true },
    },
    {
      name: 'no-cycles-at-run-time',
      comment: 'Among tests and their support, types may refer to each other.',
      severity: 'error',
      from: { pathNot: '^(server|terraform-provider)/src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^(server|terraform-provider)/src/', pathNot: TESTS },
      to: { path: `${TESTS}|^(server|terraform-provider)/test/` },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-dependencies',
      comment: "What production code imports stands in its workspace's dependencies.",
      severity: 'error',
      from: { path: '^server/src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: join(__dirname, 'server/tsconfig.json') },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
