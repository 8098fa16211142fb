// What the checks of proofs compare, and what it means when they fail: chains, trees, the two together, published heads.
import type { ProofCheck } from '../../audit.js';
import type { CheckWords } from './check-words.js';
import type { StoredCheck } from './stored.js';

export const PROOFS: Readonly<Record<Exclude<ProofCheck, StoredCheck>, CheckWords>> = {
  'chain.after': ['what a chain is to follow with a root', 'there is no root to go on from'],
  'chain.empty': ['how many headers there are with one at least', 'nothing is shown'],
  'chain.end': [
    'the hash of the last header with the hash that is proven for it',
    'the headers are not those of the history',
  ],
  'chain.frontier': [
    'the tree that is known with the transaction that the chain goes on from',
    'what is known is of another transaction',
  ],
  'chain.id': [
    'the id of each header with the one after the id before it',
    'a transaction is missing, or shown twice',
  ],
  'chain.lag': [
    'the tree in a header with all transactions before it',
    'the header commits to a shorter tree, as servers before 1.3.2 wrote it: the way taken here needs all of it',
  ],
  'chain.prev-alh': [
    'the predecessor that each header names with the hash of the header before it',
    'a header does not follow the one before it: there are two histories',
  ],
  'chain.tree-root': [
    'the root in a header with the tree over all transactions before it, recomputed',
    'chain and tree are two histories',
  ],
  'dual-proof-v2.consistency': [
    'the tree of the older header with the tree of the newer one, by a consistency proof',
    'the older tree is not the beginning of the newer one: the history was rewritten between the two',
  ],
  'dual-proof-v2.ends': [
    'the hashes of both ends, where they are one transaction',
    'one transaction has two hashes: there are two histories',
  ],
  'dual-proof-v2.inclusion': [
    'the older transaction with the tree of the newer one, by an inclusion proof',
    'the older transaction is not in the history that the newer one commits to',
  ],
  'dual-proof-v2.lag': [
    'the tree of a header with all transactions before it',
    'the header commits to a shorter tree: this form of proof needs all of it',
  ],
  'dual-proof-v2.order': ['the ids of both ends with each other', 'the proof runs backwards'],
  'dual-proof-v2.source': [
    'the id of the older header with the one that was asked for',
    'the proof begins elsewhere',
  ],
  'dual-proof-v2.source-alh': [
    'the hash of the older header with the root that is trusted',
    'the proof does not begin at what is trusted: the server shows another history',
  ],
  'dual-proof-v2.target': [
    'the id of the newer header with the one that was asked for',
    'the proof ends elsewhere',
  ],
  'dual-proof-v2.target-alh': [
    'the hash of the newer header with the root that is trusted',
    'the proof does not end at what is trusted: the server shows another history',
  ],
  'dual-proof-v2.tree-leaf': [
    'the last transaction in the tree with the one in the chain',
    'tree and chain have different transactions at one place: there are two histories',
  ],
  'dual-proof.consistency': [
    'the tree of the older header with the tree of the newer one, by a consistency proof',
    'the older tree is not the beginning of the newer one: the history was rewritten between the two',
  ],
  'dual-proof.ends': [
    'the hashes of both ends, where they are one transaction',
    'one transaction has two hashes: there are two histories',
  ],
  'dual-proof.inclusion': [
    'the older transaction with the tree of the newer one, by an inclusion proof',
    'the older transaction is not in the history that the newer one commits to',
  ],
  'dual-proof.last-inclusion': [
    "the last transaction in the tree with the tree's root",
    'the transaction that ties tree and chain together is not in the tree',
  ],
  'dual-proof.linear.end': [
    'the hash that the chain gives with the hash of its end',
    'the newer transaction does not follow from the older one',
  ],
  'dual-proof.linear.order': ['the ids of both ends with each other', 'the chain runs backwards'],
  'dual-proof.linear.source': [
    'the transaction that the chain begins at with the one that was asked for',
    'the chain begins elsewhere',
  ],
  'dual-proof.linear.start': [
    'the first hash of the chain with the hash of its beginning',
    'the chain begins at another hash',
  ],
  'dual-proof.linear.target': [
    'the transaction that the chain ends at with the one that was asked for',
    'the chain ends elsewhere',
  ],
  'dual-proof.linear.terms': [
    'how many hashes the chain has with how many transactions it spans',
    'hashes are missing, or too many',
  ],
  'dual-proof.order': ['the ids of both ends with each other', 'the proof runs backwards'],
  'dual-proof.source': [
    'the id of the older header with the one that was asked for',
    'the proof begins elsewhere',
  ],
  'dual-proof.source-alh': [
    'the hash of the older header with the root that is trusted',
    'the proof does not begin at what is trusted: the server shows another history',
  ],
  'dual-proof.target': [
    'the id of the newer header with the one that was asked for',
    'the proof ends elsewhere',
  ],
  'dual-proof.target-alh': [
    'the hash of the newer header with the root that is trusted',
    'the proof does not end at what is trusted: the server shows another history',
  ],
  'dual-proof.tree-leaf': [
    'the last transaction in the tree with the one in the chain',
    'tree and chain have different transactions at one place: there are two histories',
  ],
  'dual-proof.unbound-leaf': [
    "the tree's last transaction with something that ties it to the chain",
    'nothing does: tree and chain could be two histories',
  ],
  'frontier.lag': [
    'the tree in a header with all transactions before it',
    'the header commits to a shorter tree, from which nothing can be gone on',
  ],
  'frontier.peaks': [
    'how many subtrees are given with how many a tree of that size has',
    'hashes are missing, or too many',
  ],
  'frontier.root': [
    'the root over the given subtrees with the one in the header',
    'what is given is another tree than the one the header commits to',
  ],
  'frontier.size': ['the size of a tree with what sizes can be', 'the answer is malformed'],
  'history-tree.position': ['a place in the history tree with its size', 'there is no such place'],
  'linear-advance.end': [
    'the hash that the chain gives with the hash of its end',
    'the newer transaction does not follow from the older one',
  ],
  'linear-advance.inclusion': [
    'each chained transaction with the newer tree, by an inclusion proof',
    'a transaction that was only chained is not in the tree that came later: chain and tree are two histories',
  ],
  'linear-advance.inclusions': [
    'how many paths there are with how many transactions were only chained',
    'paths are missing, or too many',
  ],
  'linear-advance.missing': [
    'whether transactions that were only chained are shown in the tree',
    'they are not: nothing ties chain and tree together',
  ],
  'linear-advance.range': ['both ends with each other and with what ids can be', 'the proof runs backwards'],
  'linear-advance.terms': [
    'how many hashes there are with how many transactions are spanned',
    'hashes are missing, or too many',
  ],
  'linear-proof.end': [
    'the hash that the chain gives with the hash of its end',
    'the newer transaction does not follow from the older one',
  ],
  'linear-proof.order': ['the ids of both ends with each other', 'the chain runs backwards'],
  'linear-proof.source': [
    'the transaction that the chain begins at with the one that was asked for',
    'the chain begins elsewhere',
  ],
  'linear-proof.start': [
    'the first hash of the chain with the hash of its beginning',
    'the chain begins at another hash',
  ],
  'linear-proof.target': [
    'the transaction that the chain ends at with the one that was asked for',
    'the chain ends elsewhere',
  ],
  'linear-proof.terms': [
    'how many hashes the chain has with how many transactions it spans',
    'hashes are missing, or too many',
  ],
  'merkle.consistency': ['a smaller tree with a larger one', 'the smaller one is not its beginning'],
  'merkle.inclusion': ['a leaf with the root of its tree', 'the leaf is not at that place in the tree'],
  'merkle.last-inclusion': [
    'the last leaf with the root of its tree',
    'the leaf is not the last one of the tree',
  ],
  'merkle.leaf': ['the length of a leaf with 32 bytes', 'the answer is malformed'],
  'merkle.node': ['the length of a node with 32 bytes', 'the answer is malformed'],
  'merkle.peaks': ["the lengths of subtrees' roots with 32 bytes", 'the answer is malformed'],
  'note.checkpoint': ['the text of a published head with origin, size and root', 'the note is about no tree'],
  'note.cosignature': [
    'the form of a cosignature with a time and a signature',
    'what a witness gave is no cosignature',
  ],
  'note.form': [
    'a signed note with the form of one, and its signatures with their keys',
    'the note was changed, is signed by others, or is none',
  ],
  'note.key': [
    'the text of a key with the form of one',
    'the text is no key, or one of a kind that is not used here',
  ],
  'path-peaks.path': ['the length of a path with the place that it is of', 'hashes are missing, or too many'],
  'path-peaks.position': ['a place in a tree with what places can be', 'the answer is malformed'],
  'segment.empty': ['how many hashes there are with one at least', 'nothing is shown'],
  'segment.first': ['the first place of a segment with what places can be', 'the answer is malformed'],
  'segment.last': [
    'the last place of a segment with the size of the tree',
    'the segment reaches beyond the tree',
  ],
  'segment.path': [
    'the ends of a segment with the root of the tree, by inclusion proofs',
    'the segment is not at that place in the tree',
  ],
  'segment.path-missing': [
    'the nodes beside a segment with what its paths supply',
    'a node is missing without which the root cannot be computed',
  ],
  'segment.root': [
    'the root that a segment and its paths give with the root of the tree',
    'chain and tree are two histories',
  ],
  'segment.tree-root': ['the root of the tree with 32 bytes', 'the answer is malformed'],
  'segment.tree-size': ['the size of the tree with what sizes can be', 'the answer is malformed'],
  'signature.alh': ['the hash in a signed state with 32 bytes', 'the answer is malformed'],
  'signature.tx': ['the transaction in a signed state with what ids can be', 'the answer is malformed'],
  'tlog.consistency': [
    'an older published tree with a newer one',
    'the newer one does not extend the older: there are two histories',
  ],
};
