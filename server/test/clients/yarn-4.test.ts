import { javascriptClientSuite } from './javascript-client.ts';
import { YARN_4 } from './javascript-clients.ts';

javascriptClientSuite(YARN_4);
