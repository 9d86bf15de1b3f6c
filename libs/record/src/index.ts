export * from './checkpoint.js';
export * from './export.js';
export {
  type EventRecord,
  encodeLeaf,
  eventBytes,
  type HeaderValue,
  type Leaf,
  leafHash,
  type ReadEventBytes,
  readEventBytes,
} from './leaf.js';
export {
  type Appended,
  append,
  emptyFrontier,
  type Frontier,
  frontierAt,
  HASH_BYTES,
  type Hash,
  hashLeaf,
  hashNode,
  readerOfLeaves,
  rootOf,
  type Subtree,
  sha256,
  type TreeHead,
  type TreeReader,
} from './merkle.js';
export {
  formatVerifierKey,
  type OpenedNote,
  openNote,
  parseVerifierKey,
  type Refusal,
  type SigningKey,
  signingKey,
  signNote,
  type VerifierKey,
  verifierKey,
} from './note.js';
export * from './proofs.js';
export * from './tiles.js';
export * from './verify-record.js';
