// @ts-check
/** Tells every view that something was written, here or elsewhere, or that a background job went on. */
import { cell } from './cell.js';

/** Grows with each write. */
export const written = cell(0);
export const noteWrite = () => written.set(written.get() + 1);
/** Grows with each step of a job. */
export const worked = cell(0);
export const noteWork = () => worked.set(worked.get() + 1);
