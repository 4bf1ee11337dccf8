import { javascriptClientSuite } from './javascript-client.ts';
import { YARN_1 } from './javascript-clients.ts';

javascriptClientSuite(YARN_1);
