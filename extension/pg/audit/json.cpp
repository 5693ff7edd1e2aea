#include <cstring>

#include "pg/audit/json.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/settings.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"
}

namespace rampart::pg::audit {
namespace {

struct KnownShape {
    Oid type;
    Shape shape;
};
constexpr KnownShape kKnown[] = {
    {BOOLOID, Shape::kBool},      {INT2OID, Shape::kInt2},        {INT4OID, Shape::kInt4},
    {INT8OID, Shape::kInt8},      {NUMERICOID, Shape::kNumeric},  {FLOAT4OID, Shape::kFloat},
    {FLOAT8OID, Shape::kFloat},   {TEXTOID, Shape::kText},        {VARCHAROID, Shape::kText},
    {BPCHAROID, Shape::kText},    {JSONOID, Shape::kText},        {DATEOID, Shape::kTime},
    {TIMESTAMPOID, Shape::kTime}, {TIMESTAMPTZOID, Shape::kTime}, {BYTEAOID, Shape::kBytea},
    {JSONBOID, Shape::kJsonb},
};

Shape ShapeOf(Oid type) {
    for (const KnownShape& known : kKnown) {
        if (known.type == type) return known.shape;
    }
    const Catalog& catalog = Catalog::Current();
    if (catalog.present && catalog.FindType(type) != nullptr) return Shape::kEncrypted;
    if (OidIsValid(get_element_type(type))) return Shape::kArray;
    return type_is_rowtype(type) ? Shape::kComposite : Shape::kOther;
}

// Settings that text forms depend on, for as long as this lives. Encrypted values inside types that
// are written by their text form (a range over a composite) stay armour.
class StableOutput {
  public:
    StableOutput() {
        DateStyle = USE_ISO_DATES;
        IntervalStyle = INTSTYLE_POSTGRES;
        extra_float_digits = 1;
        bytea_output = BYTEA_OUTPUT_HEX;
        session_timezone = pg_tzset_offset(0);
        settings::reveal = false;
    }
    ~StableOutput() {
        DateStyle = date_style_;
        IntervalStyle = interval_style_;
        extra_float_digits = float_digits_;
        bytea_output = bytea_output_;
        session_timezone = timezone_;
        settings::reveal = reveal_;
    }
    StableOutput(const StableOutput&) = delete;
    StableOutput& operator=(const StableOutput&) = delete;

  private:
    int date_style_ = DateStyle;
    int interval_style_ = IntervalStyle;
    int float_digits_ = extra_float_digits;
    int bytea_output_ = bytea_output;
    pg_tz* timezone_ = session_timezone;
    bool reveal_ = settings::reveal;
};

char* TextForm(TypePlan& plan, Datum value) {
    const StableOutput stable;
    return Call([&] { return OutputFunctionCall(&plan.output, value); });
}

void Push(JsonbParseState** state, JsonbIteratorToken token, JsonbValue* value) {
    pushJsonbValue(state, token, value);
}

void PushNumber(JsonbParseState** state, JsonbIteratorToken token, Numeric number) {
    JsonbValue json;
    json.type = jbvNumeric;
    json.val.numeric = number;
    Push(state, token, &json);
}

void PushText(JsonbParseState** state, JsonbIteratorToken token, const char* text) {
    PushString(state, token, text, std::strlen(text));
}

// JSON has no NaN and no infinity.
bool IsFiniteNumber(const char* text) { return std::strpbrk(text, "Nny") == nullptr; }

void PushFloat(JsonbParseState** state, JsonbIteratorToken token, TypePlan& plan, Datum value) {
    char* text = TextForm(plan, value);
    if (!IsFiniteNumber(text)) return PushText(state, token, text);
    PushNumber(
        state, token,
        DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
                                            ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
}

void PushNumeric(JsonbParseState** state, JsonbIteratorToken token, Datum value) {
    const Numeric number = DatumGetNumeric(value);
    if (!numeric_is_nan(number) && !numeric_is_inf(number)) return PushNumber(state, token, number);
    PushText(state, token,
             DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))));
}

void PushTime(JsonbParseState** state, JsonbIteratorToken token, Oid type, Datum value) {
    constexpr int kUtc = 0;
    char text[MAXDATELEN + 1];
    JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &kUtc : nullptr);
    PushString(state, token, pstrdup(text), std::strlen(text));
}

void PushBytea(JsonbParseState** state, JsonbIteratorToken token, Datum value) {
    const bytea* bytes = DatumGetByteaPP(value);
    const std::size_t size = VARSIZE_ANY_EXHDR(bytes);
    if (size > MaxAllocSize / 2 - 2)
        throw Error(errc::kLimitExceeded, "value is too long for the audit log");
    char* text = static_cast<char*>(palloc(size * 2 + 2));
    text[0] = '\\';
    text[1] = 'x';
    hex_encode(VARDATA_ANY(bytes), size, text + 2);
    PushString(state, token, text, size * 2 + 2);
}

// The armour says nothing that the stored bytes do not. A value that is none (no table holds one)
// might be a plaintext, and is not written.
void PushEncrypted(JsonbParseState** state, JsonbIteratorToken token, Datum value) {
    const ByteView bytes = types::DetoastedBytes(value);
    types::Identity identity;
    if (types::ReadIdentity(bytes, &identity) &&
        (identity.form == types::Form::kHeld || identity.form == types::Form::kToken)) {
        return PushText(state, token, "[not sealed]");
    }
    const std::size_t size = ArmourSize(bytes.size());
    char* armour = static_cast<char*>(palloc(size));
    WriteArmour(bytes, armour);
    PushString(state, token, armour, size);
}

void PushJsonb(JsonbParseState** state, JsonbIteratorToken token, Datum value) {
    Jsonb* jsonb = DatumGetJsonbP(value);
    JsonbValue json;
    if (JB_ROOT_IS_SCALAR(jsonb)) {
        JsonbExtractScalar(&jsonb->root, &json);
    } else {
        json.type = jbvBinary;
        json.val.binary.data = &jsonb->root;
        json.val.binary.len = VARSIZE_ANY_EXHDR(jsonb);
    }
    Push(state, token, &json);
}

struct Elements {
    ArrayType* array;
    Datum* values;
    bool* nulls;
    int count;
};

Elements Deconstruct(const TypePlan& element, Datum value) {
    Elements elements{};
    elements.array = DatumGetArrayTypeP(value);
    deconstruct_array(elements.array, element.type, element.length, element.by_value, element.align,
                      &elements.values, &elements.nulls, &elements.count);
    return elements;
}

void PushDimension(JsonbParseState** state, TypePlan& element, const Elements& elements,
                   int dimension, int* next) {
    Push(state, WJB_BEGIN_ARRAY, nullptr);
    for (int i = 0; i < ARR_DIMS(elements.array)[dimension]; ++i) {
        if (dimension + 1 < ARR_NDIM(elements.array)) {
            PushDimension(state, element, elements, dimension + 1, next);
        } else if (elements.nulls[*next]) {
            PushNull(state, WJB_ELEM);
            ++*next;
        } else {
            PushValue(state, WJB_ELEM, element, elements.values[*next]);
            ++*next;
        }
    }
    Push(state, WJB_END_ARRAY, nullptr);
}

void PushArray(JsonbParseState** state, TypePlan& element, Datum value) {
    const Elements elements = Deconstruct(element, value);
    if (elements.count == 0) {
        Push(state, WJB_BEGIN_ARRAY, nullptr);
        Push(state, WJB_END_ARRAY, nullptr);
        return;
    }
    int next = 0;
    PushDimension(state, element, elements, 0, &next);
}

struct Fields {
    TupleDesc descriptor;
    Datum* values;
    bool* nulls;
};

Fields Deform(Datum value) {
    HeapTupleHeader header = DatumGetHeapTupleHeader(value);
    const TupleDesc shared =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
    Fields fields{CreateTupleDescCopy(shared), nullptr, nullptr};
    ReleaseTupleDesc(shared);
    const auto count = static_cast<std::size_t>(fields.descriptor->natts);
    fields.values = static_cast<Datum*>(palloc(count * sizeof(Datum)));
    fields.nulls = static_cast<bool*>(palloc(count * sizeof(bool)));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    ItemPointerSetInvalid(&tuple.t_self);
    heap_deform_tuple(&tuple, fields.descriptor, fields.values, fields.nulls);
    return fields;
}

void PushComposite(JsonbParseState** state, Datum value) {
    const Fields fields = Deform(value);
    Push(state, WJB_BEGIN_OBJECT, nullptr);
    for (int i = 0; i < fields.descriptor->natts; ++i) {
        const Form_pg_attribute field = TupleDescAttr(fields.descriptor, i);
        if (field->attisdropped) continue;
        PushKey(state, NameStr(field->attname), std::strlen(NameStr(field->attname)));
        if (fields.nulls[i]) {
            PushNull(state, WJB_VALUE);
        } else {
            PushValue(state, WJB_VALUE, *PlanOf(field->atttypid), fields.values[i]);
        }
    }
    Push(state, WJB_END_OBJECT, nullptr);
}

bool SameIv(Datum a, Datum b) {
    types::Identity left;
    types::Identity right;
    return types::ReadIdentity(types::BeginningOf(a), &left) &&
           types::ReadIdentity(types::BeginningOf(b), &right) &&
           left.form == types::Form::kDeterministic && right.form == left.form &&
           left.kind == right.kind && std::memcmp(left.iv, right.iv, Aead::kIvSize) == 0;
}

bool SameArray(TypePlan& element, Datum a, Datum b) {
    const Elements left = Deconstruct(element, a);
    const Elements right = Deconstruct(element, b);
    const auto dimensions = static_cast<std::size_t>(ARR_NDIM(left.array));
    if (left.count != right.count || ARR_NDIM(left.array) != ARR_NDIM(right.array) ||
        std::memcmp(ARR_DIMS(left.array), ARR_DIMS(right.array), 2 * dimensions * sizeof(int)) != 0)
        return false;
    for (int i = 0; i < left.count; ++i) {
        if (left.nulls[i] != right.nulls[i]) return false;
        if (!left.nulls[i] && !SameValue(element, left.values[i], right.values[i])) return false;
    }
    return true;
}

bool SameComposite(Datum a, Datum b) {
    const Fields left = Deform(a);
    const Fields right = Deform(b);
    if (left.descriptor->natts != right.descriptor->natts) return false;
    for (int i = 0; i < left.descriptor->natts; ++i) {
        const Form_pg_attribute field = TupleDescAttr(left.descriptor, i);
        if (field->attisdropped) continue;
        if (left.nulls[i] != right.nulls[i]) return false;
        if (!left.nulls[i] && !SameValue(*PlanOf(field->atttypid), left.values[i], right.values[i]))
            return false;
    }
    return true;
}

bool IsStoredApart(Datum value) { return VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)); }

bool SamePlace(Datum a, Datum b) {
    return IsStoredApart(a) && IsStoredApart(b) &&
           std::memcmp(DatumGetPointer(a), DatumGetPointer(b),
                       VARSIZE_EXTERNAL(DatumGetPointer(a))) == 0;
}

}  // namespace

TypePlan* PlanOf(Oid type) {
    auto* plan = static_cast<TypePlan*>(palloc0(sizeof(TypePlan)));
    plan->type = getBaseType(type);
    plan->shape = ShapeOf(plan->type);
    get_typlenbyvalalign(plan->type, &plan->length, &plan->by_value, &plan->align);
    if (plan->shape == Shape::kArray) plan->element = PlanOf(get_element_type(plan->type));
    if (plan->shape == Shape::kOther || plan->shape == Shape::kFloat) {
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(plan->type, &output, &is_varlena);
        fmgr_info_cxt(output, &plan->output, CurrentMemoryContext);
    }
    return plan;
}

void PushKey(JsonbParseState** state, const char* name, std::size_t length) {
    PushString(state, WJB_KEY, name, length);
}

void PushString(JsonbParseState** state, JsonbIteratorToken token, const char* text,
                std::size_t length) {
    JsonbValue json;
    json.type = jbvString;
    json.val.string.val = const_cast<char*>(text);
    json.val.string.len = static_cast<int>(length);
    Push(state, token, &json);
}

void PushNull(JsonbParseState** state, JsonbIteratorToken token) {
    JsonbValue json;
    json.type = jbvNull;
    Push(state, token, &json);
}

void PushValue(JsonbParseState** state, JsonbIteratorToken token, TypePlan& plan, Datum value) {
    check_stack_depth();
    switch (plan.shape) {
        case Shape::kBool: {
            JsonbValue json;
            json.type = jbvBool;
            json.val.boolean = DatumGetBool(value);
            return Push(state, token, &json);
        }
        case Shape::kInt2:
            return PushNumber(state, token, int64_to_numeric(DatumGetInt16(value)));
        case Shape::kInt4:
            return PushNumber(state, token, int64_to_numeric(DatumGetInt32(value)));
        case Shape::kInt8:
            return PushNumber(state, token, int64_to_numeric(DatumGetInt64(value)));
        case Shape::kNumeric:
            return PushNumeric(state, token, value);
        case Shape::kFloat:
            return PushFloat(state, token, plan, value);
        case Shape::kText: {
            const text* string = DatumGetTextPP(value);
            return PushString(state, token, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
        }
        case Shape::kTime:
            return PushTime(state, token, plan.type, value);
        case Shape::kBytea:
            return PushBytea(state, token, value);
        case Shape::kJsonb:
            return PushJsonb(state, token, value);
        case Shape::kEncrypted:
            return PushEncrypted(state, token, value);
        case Shape::kArray:
            return PushArray(state, *plan.element, value);
        case Shape::kComposite:
            return PushComposite(state, value);
        case Shape::kOther:
            return PushText(state, token, TextForm(plan, value));
    }
}

bool SameValue(TypePlan& plan, Datum a, Datum b) {
    check_stack_depth();
    if (plan.length == -1 && !plan.by_value && SamePlace(a, b)) return true;
    if (datum_image_eq(a, b, plan.by_value, plan.length)) return true;
    switch (plan.shape) {
        case Shape::kEncrypted:
            return SameIv(a, b);
        case Shape::kArray:
            return SameArray(*plan.element, a, b);
        case Shape::kComposite:
            return SameComposite(a, b);
        default:
            return false;
    }
}

}  // namespace rampart::pg::audit
