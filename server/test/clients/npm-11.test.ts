import { npmSuite } from './npm-client.ts';

npmSuite(11);
