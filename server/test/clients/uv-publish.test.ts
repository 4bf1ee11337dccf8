import { installed } from './installed.ts';
import { pythonPublishingSuite } from './python-publishing.ts';

const publish = (address: string, token: string): readonly string[] => [
  ...['publish', '--trusted-publishing', 'never', '--publish-url', address, '--token', token],
];

pythonPublishingSuite({
  title: 'uv',
  command: (context) => [installed(context, 'uv')],
  env: () => ({ UV_NO_CONFIG: '1', UV_PYTHON_DOWNLOADS: 'never', UV_NO_CACHE: '1', UV_HTTP_RETRIES: '0' }),
  publish,
  publishMissing: (address, token, index) => [...publish(address, token), '--check-url', index],
});
