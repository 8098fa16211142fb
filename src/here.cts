// Where the CommonJS build of this package is on the disk. CommonJS, which knows that; both builds share this file, so that
// threads run the same files whoever starts them. In a bundle these are somewhere else, or nowhere: see package-files.ts.
/* eslint-disable @typescript-eslint/no-require-imports -- the way a CommonJS module imports */
import path = require('node:path');

/** A bundler may leave an ES module without it. The paths are written so that tools that trace files see them. */
const here = typeof __dirname === 'string' ? __dirname : undefined;

export = {
  folder: here,
  threads:
    here === undefined
      ? undefined
      : [
          path.join(__dirname, 'worker/thread.js'),
          path.join(__dirname, 'worker/thread-entry.cjs'),
          path.join(__dirname, 'store/sqlite/thread/thread.js'),
        ],
  /** Not called: shows the same tools what is loaded by its name only. */
  loaded: () => {
    require('piscina');
    try {
      require('better-sqlite3');
    } catch {
      // Optional.
    }
  },
};
