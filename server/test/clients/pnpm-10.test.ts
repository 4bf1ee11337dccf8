import { javascriptClientSuite } from './javascript-client.ts';
import { PNPM_10 } from './javascript-clients.ts';

javascriptClientSuite(PNPM_10);
