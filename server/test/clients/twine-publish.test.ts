import { dirname } from 'node:path';
import { installed } from './installed.ts';
import { pythonPublishingSuite } from './python-publishing.ts';

pythonPublishingSuite({
  title: 'twine',
  command: (context) => ['python3', installed(context, 'twine')],
  env: ([, program = '']) => ({ PYTHONPATH: dirname(dirname(program)) }),
  publish: (address, token) => [
    ...['upload', '--non-interactive', '--disable-progress-bar', '--repository-url', address],
    ...['-u', '__token__', '-p', token, 'dist/*'],
  ],
});
