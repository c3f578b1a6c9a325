import { X509Certificate, createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface RunCertificate {
  /** PEM. Signed by itself; whoever trusts it trusts this run's workers and nobody else. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface CertificateRequest {
  /** The DNS name that it stands for. */
  readonly host: string
}

/**
 * Makes a key (P-256) and a certificate signed by it. It ends when its run does, and is trusted by value, so its dates
 * say nothing: none that they could show would be too late for a long run, or too early for a clock that is wrong.
 *
 * Node signs, but writes no certificates; the libraries that do bring some hundred kilobytes of ASN.1 into the user's
 * program, for a certificate of one fixed shape.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function createCertificate({ host }: CertificateRequest): RunCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid('550403'), utf8(host))))
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(toSerial()),
    ecdsaWithSha256,
    name,
    always,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      3,
      sequence(
        basicConstraints,
        keyUsage,
        serverAuth,
        subjectAltName(host),
        keyIdentifier(createPublicKey(privateKey).export({ type: 'spki', format: 'der' })),
      ),
    ),
  )
  const signature = sign('sha256', body, privateKey)
  const der = sequence(body, ecdsaWithSha256, bitString(signature))
  return {
    certificate: new X509Certificate(der).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? Buffer.of(body.length) : Buffer.of(0x82, body.length >> 8, body.length & 255)
  return Buffer.concat([Buffer.of(tag), length, body])
}

const sequence = (...parts: readonly Uint8Array[]) => encode(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => encode(0x31, ...parts)
const integer = (value: Uint8Array) => encode(0x02, value)
const oid = (hex: string) => encode(0x06, Buffer.from(hex, 'hex'))
const utf8 = (text: string) => encode(0x0c, Buffer.from(text))
const octets = (value: Uint8Array) => encode(0x04, value)
const bitString = (value: Uint8Array, unusedBits = 0) => encode(0x03, Buffer.of(unusedBits), value)
const tagged = (number: number, value: Uint8Array) => encode(0xa0 | number, value)
const isTrue = Buffer.of(0x01, 0x01, 0xff)

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
// It is its own authority, so that it can be trusted as one; with a path length of 0 it can sign no other.
const basicConstraints = sequence(oid('551d13'), isTrue, octets(sequence(isTrue, integer(Buffer.of(0)))))
// UTCTime from 1970 on, and the GeneralizedTime by which the standard says that there is no end.
const always = sequence(encode(0x17, Buffer.from('700101000000Z')), encode(0x18, Buffer.from('99991231235959Z')))
// digitalSignature and keyCertSign.
const keyUsage = sequence(oid('551d0f'), isTrue, octets(bitString(Buffer.of(0b1000_0100), 2)))
const serverAuth = sequence(oid('551d25'), octets(sequence(oid('2b06010505070301'))))

function subjectAltName(host: string): Buffer {
  return sequence(oid('551d11'), octets(sequence(encode(0x82, Buffer.from(host, 'ascii')))))
}

function keyIdentifier(publicKey: Uint8Array): Buffer {
  return sequence(oid('551d0e'), octets(octets(createHash('sha1').update(publicKey).digest())))
}

// Positive and not beginning with a zero byte, as DER wants it.
function toSerial(): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}
