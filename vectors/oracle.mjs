// Checks the golden vectors against implementations from elsewhere: `@ipld/dag-cbor` for bytes, `multiformats` for ids,
// `@ipld/car` for files.
//
//     node oracle.mjs [FOLDER]
//
// FOLDER holds the vectors (by default that of this file). Says what differs and exits with 1 if anything does. The
// versions that are known to work stand in package.json; `cargo xtask ci --only vectors` installs them and runs this.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import { CarReader } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url))
let checked = 0
const differences = []

function check(name, holds, what) {
  checked += 1
  if (!holds) differences.push(`${name}: ${what}`)
}

function vectors(file) {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')).vectors
}

const fromHex = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const toHex = (bytes) => Buffer.from(bytes).toString('hex')
const idOf = async (bytes) => CID.createV1(dagCbor.code, await sha256.digest(bytes)).toString()

// Values as they stand in values.json (docs/format.md, "Vectors") as this library has them: integers that a number
// cannot hold are BigInts, links are CIDs.
function untyped(value) {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(untyped)
  const [[kind, content]] = Object.entries(value)
  switch (kind) {
    case 'int': {
      const integer = BigInt(content)
      return BigInt(Number(integer)) === integer && Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
    }
    case 'float': return Number(content)
    case 'bytes': return fromHex(content)
    case 'link': return CID.parse(content)
    case 'map': return Object.fromEntries(content.map(([key, entry]) => [key, untyped(entry)]))
    default: throw new Error(`no kind of value: ${kind}`)
  }
}

// JavaScript cannot tell 1.0 from 1: such floats are written as integers, and so cannot give the same bytes.
function holdsWholeFloat(value) {
  if (value === null || typeof value !== 'object') return false
  if (Array.isArray(value)) return value.some(holdsWholeFloat)
  const [[kind, content]] = Object.entries(value)
  return kind === 'float' ? Number.isSafeInteger(Number(content)) : kind === 'map' && content.some((entry) => holdsWholeFloat(entry[1]))
}

const same = (a, b) => isDeepStrictEqual(plain(a), plain(b))

// CIDs keep caches, and byte strings may be of several classes: compared by what they stand for.
function plain(value) {
  if (CID.asCID(value)) return { link: CID.asCID(value).toString() }
  if (value instanceof Uint8Array) return { bytes: toHex(value) }
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]))
}

const EXCEPTION = 'a float without fraction is written as an integer'

for (const { name, value, hex, id, exceptions } of vectors('values.json')) {
  const bytes = fromHex(hex)
  check(name, await idOf(bytes) === id, 'another id')
  check(name, same(dagCbor.decode(bytes), untyped(value)), 'another value when decoded')
  const written = toHex(dagCbor.encode(untyped(value)))
  const excepted = exceptions?.['@ipld/dag-cbor'] === EXCEPTION
  check(name, excepted === holdsWholeFloat(value), `has to be listed as an exception if and only if ${EXCEPTION}`)
  check(name, (written === hex) === !excepted, `written as ${written}`)
}

for (const { name, hex, refused_by } of vectors('refused.json')) {
  let refusal = null
  try {
    dagCbor.decode(fromHex(hex))
  } catch (error) {
    refusal = error.message
  }
  const told = refusal === null ? 'is accepted here' : `is refused here: ${refusal}`
  check(name, refused_by['@ipld/dag-cbor'] === (refusal !== null), told)
}

for (const file of ['identities.json', 'ops.json', 'derived.json']) {
  for (const [index, { name, hex, id, payload, payload_id }] of vectors(file).entries()) {
    const label = `${file} ${name ?? index}`
    for (const [bytes, expected] of [[hex, id], [payload, payload_id]]) {
      if (!bytes) continue
      check(label, await idOf(fromHex(bytes)) === expected, 'another id')
      check(label, toHex(dagCbor.encode(dagCbor.decode(fromHex(bytes)))) === bytes, 'other bytes when written again')
    }
  }
}

// All links in a value.
function links(value) {
  if (CID.asCID(value)) return [CID.asCID(value).toString()]
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(links)
}

// An exported space: a root that is a genesis, blocks that are what their ids say, and no link that leads out of it.
const car = await CarReader.fromBytes(readFileSync(join(folder, 'space.car')))
const roots = await car.getRoots()
check('space.car', roots.length === 1, `${roots.length} roots`)
const blocks = new Map()
for await (const { cid, bytes } of car.blocks()) blocks.set(cid.toString(), bytes)
check('space.car', blocks.size > 10, `${blocks.size} blocks`)
check('space.car', dagCbor.decode(blocks.get(roots[0].toString())).$ === 'hhs/v1/Genesis', 'the root is no genesis')
for (const [cid, bytes] of blocks) {
  check('space.car', await idOf(bytes) === cid, `${cid} is not the id of its block`)
  for (const link of links(dagCbor.decode(bytes))) check('space.car', blocks.has(link), `${cid} links to ${link}, which is missing`)
}

for (const difference of differences) console.error(difference)
console.log(`${checked} checks, ${differences.length} differences`)
// An empty file must not pass for a good one.
process.exit(differences.length === 0 && checked > 300 ? 0 : 1)
