// Changes that a client may accept, because nothing it tells rests on the field. Reviewed one by one: a field that is
// not here must not be changeable without a refusal.
import type { Scenario } from './scenario.js';

export interface Harmless {
  readonly field: RegExp;
  /** Only these kinds of change; all when left out. */
  readonly kinds?: RegExp;
  /** Only the answers of these RPCs. */
  readonly methods?: RegExp;
  /** Only scenarios with, or without, a state key. */
  readonly keyed?: boolean;
  /** Only these scenarios. */
  readonly scenarios?: RegExp;
  /** Callers may be told that there is nothing where there is something. */
  readonly missing?: true;
  readonly why: string;
}

export const HARMLESS: readonly Harmless[] = [
  {
    field: /(^|\.)signature(\.|$)/,
    keyed: false,
    why: 'no key is configured in these runs: nothing is signed that anybody reads',
  },
  {
    field: /(^|\.)signature\.publicKey$/,
    keyed: true,
    why: 'not read: signatures are checked with the configured key',
  },
  {
    field: /^tx(Id|Hash)$/,
    methods: /^CurrentState$/,
    kinds: /^(minus one|(low|first|last|middle) bit flipped|zeroed)$/,
    scenarios: /first contact: state$/,
    why: 'not what the server proves: asked for once more, and here this lie is told once (extreme-answers.test.ts tells it twice)',
  },
  {
    field: /^signature(\.|$)/,
    methods: /^CurrentState$/,
    keyed: true,
    why: 'a state is believed by its proof, which has to bring the signature of the same root',
  },
  {
    field: /(^|\.)signature$/,
    kinds: /^swapped$/,
    keyed: true,
    why: 'accepted where it is another valid signature of the same root: no two are alike',
  },
  {
    field: /^txs\[\]\.header(\.|$)/,
    scenarios: /entries of a bulk tx$/,
    why: 'not read but for the tx: the header was proven before',
  },
  {
    field: /^txId$/,
    kinds: /^(plus one|high bit set|low bit flipped)$/,
    scenarios: /^is the server behind/,
    why: 'that the server is further on than the head is its word, and changes nothing',
  },
  {
    field: /^txId$/,
    kinds: /^(plus one|high bit set)$/,
    scenarios: /first contact: state$/,
    why: 'a state that cannot be proven is asked for once more, and this lie is told once: what is trusted is what is proven',
  },
  { field: /^db$/, scenarios: /^is the server behind/, why: 'not read: the state is that of the session' },
  {
    field: /^(entry\.|entry\.referencedBy\.)revision$/,
    methods: /^VerifiableGet$/,
    why: 'told under `unproven` only',
  },
  {
    field: /^entry\.value$/,
    scenarios: /^verifiedStreamGet, behind a reference$/,
    why: 'not read: the value came with the answer before; here its hash is proven',
  },
  {
    field: /^entry\.(revision|metadata|referencedBy\.(revision|metadata))(\.|$)/,
    methods: /^streamVerifiableGet$/,
    why: 'not read: a stream has no revision, and metadata are those of the entry in the proven transaction',
  },
  {
    field: /(^|\[\]\.)(entry\.)?(referencedBy\.)?revision$/,
    methods: /^(Get(All)?|Scan|History|ZScan)$/,
    why: 'told under `unproven` only',
  },
  {
    field: /^entries\[\]\.(score|atTx)$/,
    methods: /^ZScan$/,
    why: 'told under `unproven` only: which tx made a key a member is not in the answer',
  },
  {
    field: /^entries$/,
    kinds: /^(list emptied|first removed|last removed)$/,
    methods: /^GetAll$/,
    missing: true,
    why: 'no proof can exclude that a key has no entry: absence is the server’s word, and said to be',
  },
  {
    field: /^entries$/,
    kinds: /^(list emptied|first removed|last removed)$/,
    methods: /^(Scan|History|ZScan)$/,
    missing: true,
    why: 'no proof can exclude that something is left out, and it is said so',
  },
  {
    field: /^entries$/,
    kinds: /^reversed$/,
    methods: /^GetAll$/,
    why: 'entries are told apart by their keys, whatever their order',
  },
  {
    field: /^(verifiableTx\.)?(tx|txs\[\])\.entries\[\]\.(vLen|value)$/,
    why: 'not read: the hash of the value is what is proven',
  },
  { field: /(^|verifiableTx\.)(tx|txs\[\])\.(kvEntries|zEntries)/, why: 'not read' },
  { field: /(^tx|\[\])\.entries$/, kinds: /^added$/, why: 'not read where only the header was asked for' },
  {
    field: /(^|\.)LinearAdvanceProof$/,
    kinds: /^added$/,
    why: 'an empty one is none: where one is needed it must be whole',
  },
  { field: /metadata$/, kinds: /^(removed|added)$/, why: 'absent and empty metadata are the same bytes' },
  {
    field: /TxHeader$/,
    kinds: /^swapped$/,
    why: 'accepted where it is the same header of another answer, with or without empty metadata',
  },
  {
    field: /^(txs\[\]\.)?(header(\.|$)|entries\[\]\.(hValue|vLen|metadata))/,
    scenarios: /, values$/,
    why: 'not read: which transactions and entries there are is proven beside the values',
  },
  {
    field: /^(txs\[\]\.)?entries(\[\]\.value)?$/,
    kinds: /^(list emptied|first removed|last removed|removed|emptied|zeroed)$/,
    scenarios: /, values$/,
    missing: true,
    why: 'a value that is not shown is gone, by the server’s word (TRUNCATED); in a run it is asked for once more, and shown',
  },
  {
    field: /^(txs\[\]|(txs\[\]\.)?entries\[\])$/,
    kinds: /^swapped$/,
    scenarios: /, values$/,
    why: 'accepted where it has the same values',
  },
  { field: /^(kvEntries|zEntries)/, methods: /^TxById$/, why: 'not read' },
  {
    field: /^txs\[\]\.entries$/,
    kinds: /^(reversed|element (added|put first)|last repeated)$/,
    scenarios: /^(verified(Query( of two tables)?|Schema)|sql\.verifiedGet latest), values$/,
    why: 'values are found by their keys, and held against what was followed',
  },
  {
    field: /^txs\[\]\.entries\[\]\.key$/,
    scenarios: /^(verified(Query( of two tables)?|Schema)|sql\.verifiedGet latest), values$/,
    why: 'accepted of entries that are not asked for: what is, is found by its key, or not shown',
  },
  {
    field: /^entry\.tx$/,
    kinds: /^(minus one|low bit flipped|swapped)$/,
    scenarios: /^the latest behind a reference$/,
    why: 'older than what was followed of the target: asked for once more, and here this lie is told once',
  },
  {
    field: /^entries$/,
    kinds: /^(element (added|put first)|last repeated)$/,
    scenarios: /^a reference to nothing, its history$/,
    why: 'not read: it is the entry in the proven transaction that counts',
  },
  {
    field: /^entries\[\]\.(referencedBy|expired)(\.|$)/,
    kinds: /^added$/,
    scenarios: /^a reference to nothing, its history$/,
    why: 'not read: it is the entry in the proven transaction that counts',
  },
  {
    field: /^documentIdFieldName$/,
    methods: /^ProofDocument$/,
    why: 'not read: what the id field was called is in the catalog that is proven',
  },
  {
    field: /^verifiableTx\.(dualProof|signature)(\.|$)/,
    methods: /^ProofDocument$/,
    why: 'not read: it has no chain, and its transaction is proven like any other',
  },
  {
    field: /^verifiableTx(\.tx(\.header(\..*)?)?)?$/,
    methods: /^ProofDocument$/,
    why: 'read for the tx alone; of an audit for who wrote it, and then only as the proven header',
  },
  {
    field: /^verifiableTx\.tx\.(entries|kvEntries|zEntries)(\[\].*)?$/,
    methods: /^ProofDocument$/,
    why: 'read for the entry of the document alone: which entries there are is proven by other means',
  },
  {
    field: /^searchId$/,
    methods: /^SearchDocuments$/,
    missing: true,
    why: 'a search that is lost is begun anew, and one that is said to end has left something out',
  },
  { field: /^searchId$/, methods: /^SearchDocuments$/, why: 'a search that is lost is begun anew' },
  {
    field: /^revisions\[\]\.(transactionId|revision|metadata(\..*)?|username|ts)$/,
    methods: /^SearchDocuments$/,
    why: 'not read',
  },
  {
    field: /^revisions\[\]\.(revision|username|ts|document(\..*)?)$/,
    methods: /^AuditDocument$/,
    why: 'not read, or told under `unproven` only: who and when is in the proven header',
  },
  {
    field: /^revisions\[\]\.metadata(\..*)?$/,
    kinds: /^(added|removed|flipped)$/,
    methods: /^(AuditDocument|ReplaceDocuments)$/,
    why: 'accepted where it says the same',
  },
  {
    field: /^revisions$/,
    kinds: /^(list emptied|first removed|last removed)$/,
    methods: /^(SearchDocuments|AuditDocument|ReplaceDocuments)$/,
    missing: true,
    why: 'no proof can exclude that something is left out, and it is said so; which documents matched, likewise',
  },
  {
    field: /^revisions$/,
    kinds: /^reversed$/,
    scenarios: /in any order/,
    why: 'no order was asked for',
  },
  {
    field: /^revisions\[\]\.(revision|document|username|ts|metadata)(\..*)?$/,
    methods: /^ReplaceDocuments$/,
    why: 'not read',
  },
  {
    field: /^collection(\..*|\[\].*)?$/,
    methods: /^GetCollection$/,
    why: 'names are held against the hashes that were stored: one that does not fit says nothing',
  },
  {
    field: /header\.blTxId$/,
    kinds: /^zeroed$/,
    scenarios: /^following, /,
    why: 'tx 1 commits to no tree: it is zero, whether it is sent or not',
  },
  { field: /precommittedTx(Id|Hash)$/, why: 'not read: says nothing about what is committed' },
];

/** A change that nobody was refused for. */
export interface Accepted {
  readonly scenario: Scenario;
  readonly field: string;
  readonly kind: string;
  /** What callers were told: the truth, of nothing where there is something, or something else. */
  readonly outcome: 'same' | 'missing' | 'other';
}

/** Why it is harmless; undefined when it is not. */
export function harmless({ scenario, field, kind, outcome }: Accepted): Harmless | undefined {
  const keyed = scenario.name.startsWith('with a state key');
  return HARMLESS.find(
    (row) =>
      row.field.test(field) &&
      (row.kinds?.test(kind) ?? true) &&
      (row.methods?.test(scenario.method) ?? true) &&
      (row.keyed ?? keyed) === keyed &&
      (row.scenarios?.test(scenario.name) ?? true) &&
      (outcome === 'missing' ? row.missing === true : outcome === 'same'),
  );
}
