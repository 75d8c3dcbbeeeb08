// @ts-check
/** Tells every view that something was written, here or elsewhere. */
import { cell } from './cell.js';

/** Grows with each write. */
export const written = cell(0);
export const noteWrite = () => written.set(written.get() + 1);
