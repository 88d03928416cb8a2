import protobuf from 'protobufjs';

/**
 * The few messages of ONNX's protobuf schema that Plimsoll reads and writes, by their field numbers
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, Apache-2.0). Fields that are not named here are skipped.
 */
const schema = protobuf.Root.fromJSON({
  nested: {
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Dimension: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
    Shape: { fields: { dim: repeated(1, 'Dimension') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'Shape') } },
    Type: { fields: { tensorType: field(1, 'TensorType') } },
    ValueInfo: { fields: { name: field(1, 'string'), type: field(2, 'Type') } },
    Tensor: {
      fields: {
        dims: repeated(1, 'int64'),
        dataType: field(2, 'int32'),
        floatData: repeated(4, 'float'),
        int32Data: repeated(5, 'int32'),
        stringData: repeated(6, 'bytes'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        i: field(3, 'int64'),
        ints: repeated(8, 'int64'),
        type: field(20, 'int32'),
      },
    },
    Node: {
      fields: {
        input: repeated(1, 'string'),
        output: repeated(2, 'string'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: repeated(5, 'Attribute'),
      },
    },
    Graph: {
      fields: {
        node: repeated(1, 'Node'),
        name: field(2, 'string'),
        initializer: repeated(5, 'Tensor'),
        docString: field(10, 'string'),
        input: repeated(11, 'ValueInfo'),
        output: repeated(12, 'ValueInfo'),
      },
    },
    Model: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        producerVersion: field(3, 'string'),
        graph: field(7, 'Graph'),
        opsetImport: repeated(8, 'OperatorSet'),
      },
    },
  },
});

function field(id: number, type: string) {
  return { id, type };
}

function repeated(id: number, type: string) {
  return { id, type, rule: 'repeated' };
}

/** ONNX's numbers for element types. */
export const ELEMENT_TYPE = { float: 1, int8: 3, int32: 6, string: 8 } as const;

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly stringData?: readonly Uint8Array[];
}

export interface OnnxAttribute {
  readonly name: string;
  readonly i?: number;
  readonly ints?: readonly number[];
  readonly type: number;
}

export interface OnnxNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly attribute?: readonly OnnxAttribute[];
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly elemType: number; readonly shape: { readonly dim: readonly object[] } };
  };
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion?: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly OnnxNode[];
    readonly initializer: readonly OnnxTensor[];
    readonly input: readonly OnnxValueInfo[];
    readonly output: readonly OnnxValueInfo[];
  };
}

const model = schema.lookupType('Model');

/** The bytes of an ONNX file. The same model gives the same bytes. */
export function encodeModel(value: OnnxModel): Uint8Array {
  return model.encode(model.fromObject(value)).finish();
}

/** @throws Error if the bytes are no protobuf message. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  return model.toObject(model.decode(bytes), { longs: Number, defaults: false, arrays: true }) as OnnxModel;
}

/** The values of a float tensor. */
export function floatValues(tensor: OnnxTensor): Float32Array {
  const raw = tensor.rawData;
  if (!raw || raw.length === 0) return Float32Array.from(tensor.floatData ?? []);
  return new Float32Array(Uint8Array.from(raw).buffer); // a copy: the view may be unaligned
}

/** The values of an int8 tensor. */
export function int8Values({ rawData = new Uint8Array() }: OnnxTensor): Int8Array {
  return Int8Array.from(rawData, (byte) => (byte << 24) >> 24);
}

/** The values of a string tensor. */
export function stringValues({ stringData = [] }: OnnxTensor): string[] {
  return stringData.map((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** A graph's input or output. A dimension with a name may have any size. */
export function valueInfo(
  name: string,
  dims: readonly (number | string)[],
  elemType: number = ELEMENT_TYPE.float,
): OnnxValueInfo {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
