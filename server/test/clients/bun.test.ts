import { javascriptClientSuite } from './javascript-client.ts';
import { BUN } from './javascript-clients.ts';

javascriptClientSuite(BUN);
