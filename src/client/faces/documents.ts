// Documents, proven.
import { DocumentCalls } from './document-calls.js';

export class Documents extends DocumentCalls {}
