import { npmSuite } from './npm-client.ts';

npmSuite(10);
