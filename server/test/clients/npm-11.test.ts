import { javascriptClientSuite } from './javascript-client.ts';
import { npm } from './javascript-clients.ts';

javascriptClientSuite(npm(11));
