"""What is said about tables: what is in them, and what is wrong with them."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

NEEDS_MEMORY = Sentence(
    "{file} unpacks to {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a part of its rows, or a "
    "machine with more."
)
TEXT_NEEDS_MEMORY = Sentence(
    "{file} unpacks to {needed:,.1f} GB, and {free:,.1f} GB of memory are free; unpack it, and use a part of its rows."
)
ROWS_NEED_MEMORY = Sentence(
    "{file} has some {rows:count} rows, which take {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a "
    "part of them, or fewer columns."
)

SAVE_PLAIN_ARRAYS = Phrase("save plain arrays with numpy.savez")
NO_ARCHIVE = Phrase("it is no archive of arrays")
NOT_NPZ = Sentence("{file} cannot be read as NPZ: {reason}; {remedy}.")
IS_DAMAGED = Phrase("it is damaged")
PYTHON_OBJECTS = Phrase("it holds Python objects")
OTHER_CONTENT = Phrase("{array} is declared as {shape} of {dtype}, but holds something else")
UNKNOWN_FORM = Phrase("{array} is in a format that holds more than numbers, texts and dates")
NO_CHARACTERS = Phrase("{array} holds characters that do not exist")
NO_ROWS_IN_ARRAYS = Sentence("{file} holds no rows; save arrays of numbers such as X [n, d] and y [n].")
UNEQUAL_ARRAYS = Sentence("The arrays of {file} have unequal numbers of rows ({sizes}); make them equal.")
HEADER_ONLY = Sentence("{file} has a header but no rows; add rows below it.")
EMPTY_LINES = Sentence("{lines:count empty line} of {file} {lines:was|were} skipped.")
NUL_IN_COLUMN = Sentence("{file}, column {column}: there is a NUL byte; export the file again, or remove it.")
UNSURE_DATE = Sentence(
    "{column}: {text} was read as {date}; the model does not record whether the day or the month comes first. "
    "Write dates like {date} to be sure."
)
NUMBERS_FOR_DATES = Sentence(
    "Column {column} of {table} holds numbers, which cannot be read as dates; write them like {example}."
)
DATES_FOR_NUMBERS = Sentence(
    "Column {column} of {table} holds dates, and the model takes numbers like {example} there."
)
INFINITE_CELL = Sentence("{place}, column {column}: the number is infinite; correct it, or leave the cell empty.")
NOT_READABLE = Sentence(
    "{place}, column {column}: “{text}” is not {noun}{more}; give {example}, or leave the cell empty."
)
NO_ENCODING = Sentence("{file} is in no encoding that is known; save it as UTF-8.")
NOT_A_TABLE_BELOW = Sentence("{file} cannot be read as a table below line {line}: {reason}; check the quotes there.")
FILL_ROW = Phrase("fill the row up")
QUOTE_SEPARATORS = Phrase("put text with separators in quotes")
RAGGED = Sentence("{file}, line {line}: {cells:count cell} where the header has {header}; {remedy}.")
BAD_QUOTES = Sentence("{file}, line {line}: {reason}; check the quotes there.")
EMPTY_TABLE = Sentence("{file} is empty; a table needs a header line and rows below it.")
NOT_A_TABLE = Sentence("{file} cannot be read as a table: {reason} near line {line}.")
ENDLESS_LINE = Sentence("{file} has a first line without end; it is no table with a header.")
NO_HEADER = Sentence(
    "{file} begins with numbers ({cells}) where column names are expected; put a line with the names of the "
    "columns on top."
)
SEPARATOR = Sentence("The columns of {file} are separated by {separator}.")
DECIMAL_COMMA = Sentence("Numbers in {file} have a decimal comma.")
UNNAMED = Sentence("Column {number} of {file} has no name and is called {name}.")
SAME_NAME = Sentence("{file} has more than one column {name}; column {number} is called {new}.")
NO_INPUT = Sentence("There is no input {name!r}; {hint}.")
CANNOT_BE_READ = Phrase("{file} cannot be read")
SAVE_FIRST = Phrase("write what it gives to a file first")
NO_FILE = Sentence("There is no file {path}; check its name and folder.")
NOTHING_IN_FILE = Sentence("{file} has no rows or no columns; write some into it.")
SAME_COLUMN = Sentence("There is more than one column {column}; another is called {name}.")
NO_VALUES = Phrase("it has no values")
OTHER_VALUES = Sentence("{column} holds {dtype} values, which are neither numbers nor text nor dates.")
RETURNS = Phrase("(X, y) arrays, a mapping of columns, a polars or pandas frame, or a torch Dataset")
NO_MODULE = Sentence("There is no Python module {module} in {folder} or among the installed ones.")
NO_FUNCTION = Sentence("{module} has no function {function}; {remedy}.")
RETURNS_NO_TABLE = Sentence("What {function} returns cannot be read as a table ({reason}); return {wanted}.")
FUNCTION_FAILED = Sentence("{function} failed: {error}{said:if : *}{place:if  (*)}; correct it there.")
RETURNS_OTHER = Sentence("{function} returns {kind}; it has to return {wanted}.")
TARGET_SHAPE = Sentence("The target has shape {shape}; it has to be one number or class for each row.")
NO_PAIR = Sentence("Item {number} of the Dataset of {function} is no (x, y) pair; return pairs.")
RETURNS_NO_ROWS = Sentence("{function} returns no rows; return some.")
UNEQUAL_COLUMNS = Sentence("{function} returns columns of unequal length ({sizes}); make them equal.")
SAME_AS_TARGET = Sentence("{function} returns a feature and a target both called {column}; rename one.")
IS_MISSING = Phrase("{column} is missing")
INFINITE = Sentence(
    "{place}, column {column}: the number is infinite; correct it, leave the cell empty, or leave the column out "
    "(--drop)."
)
LEFT_OUT = Sentence("{column} was left out: {reason}.")
ROW_NUMBERS = Phrase("each row has its own number")
FREE_TEXT_VALUES = Phrase("free text, {values:count} different values")
DIFFERENT_VALUES = Phrase("{values:count} different values in {cells:count} cells")
NOT_BOOLEAN = Sentence(
    "Column {column} has {values:count} different values and cannot be boolean; a boolean column has two, such as "
    "no and yes."
)
NUMBERS_NO_DATES = Sentence("Column {column} holds numbers, which cannot be read as dates; write them like 2026-03-31.")
BAD_DATE = Sentence(
    "Column {column} cannot be read as dates: “{text}” does not fit the others; write them all like 2026-03-31."
)
AS_YOU_SAID = Phrase("as you said")
NO_COLUMN_TO_READ = Sentence("{table} has no column {name!r} to read as {kind}; {hint}.")
TARGET_STRAY = Phrase("empty it, or give --as {column}=categorical to predict classes")
FEATURE_STRAY = Phrase("or give --as {column}=categorical, or leave the column out with --drop {column}")
STRAY = Sentence(
    "{place}, column {column}: “{text}” is not a number{more:if  (* more such cells)}; correct it, {remedy}."
)
CANCELLED = Sentence("Loading was cancelled.")
NOT_PARQUET = Phrase("{file} cannot be read as Parquet")
READING_COLUMNS = Phrase("reading the columns")
TOO_FEW_ROWS = Sentence("{table} has {rows:count row}; learning needs at least two.")
TERMS = Sentence("Terms up to degree {degree} make {columns:count} columns.")
DAY_OR_MONTH = Sentence(
    "{column}: no date tells whether the day or the month comes first, so they were read {order} first: {text} is "
    "{date}. Write dates like {date} if that is wrong."
)
NO_TARGET_ROWS = Sentence("{rows:count row} without a target {rows:was|were} left out.")
ROWS_WITH_GAPS = Sentence("{rows:count row} with missing values {rows:was|were} left out.")
TOO_FEW_LEFT = Sentence(
    "{table} has {rows:count row} left once those with missing values are gone, and learning needs at least two; "
    "fill them instead (--missing median), or leave out the columns with gaps (--drop)."
)
NO_VALIDATION = Sentence("No validation rows were held out, since there are only {rows:count} rows.")
ONE_TARGET_IN_TRAIN = Sentence(
    "The target is {value} in every train row: there is nothing to learn; use --split shuffled, or choose another "
    "target (--target)."
)
ONE_CLASS_IN_TRAIN = Sentence(
    "The train rows of {table} are all of class {class_}: there is nothing to learn; use --split shuffled."
)
CLASSES_WITHOUT_ROWS = Sentence("No train row is of class {classes}, so it cannot be learned.")
CLASS_OF_ONE_ROW = Sentence("Class {classes} has only one row, which trains: held-out rows cannot test it.")
FILLED_GAPS = Sentence(
    "{column}: {cells:count missing value} imputed with {value} from the train rows{mark:if , and '*' marks them}."
)
DROP_COLUMNS = Phrase("leave columns out (--drop)")
TOO_WIDE = Sentence(
    "{table} would make {columns:count} columns of {rows:count} rows, {needed:,.1f} GiB, and this machine has "
    "{memory:,.1f} GiB; {remedy}, or choose fewer --features."
)
NO_CLASS = Sentence("The target {target} has no class “{wanted}” (--positive); its classes are {classes:and}.")
AMONG_ROWS = Title("Among the {part} rows, {remark}")
LOOKING_FOR_DUPLICATES = Phrase("looking for duplicates")
CONSTANT = Sentence("{features} {count:is|are} the same in every train row and can teach nothing.")
DUPLICATES = Sentence(
    "{copies:count} of {rows:count} {part} rows {copies:is a copy|are copies} of train rows (same features, same "
    "target), so the {part} loss looks better than it is."
)
OUTSIDE = Sentence(
    "{column}: {values:count value} {values:lies|lie} outside {low} to {high}, the range of the train rows."
)
FILLED = Sentence("{column}: {cells:count missing value} imputed with {value}.")
UNKNOWN_CATEGORY = Sentence(
    "{column}: {values} ({rows:count row}) never occurs in the train rows and is encoded as none of its "
    "categories, which the model reads like {category}."
)
NO_COLUMN = Sentence("{table} has no column {name!r}; {hint}.")
NO_COLUMN_TO_KEEP = Sentence("{table} has no column {name!r} to keep (--keep); {hint}.")
STDIN_CLOSED = Sentence("Standard input is closed; give a file with --input FILE.")
STDIN_UNREADABLE = Sentence("Standard input cannot be read: {reason}.")
NO_ROWS = Sentence("{file} has no rows.")
NO_TARGET = Sentence("Choose which column of {table} to predict (--target); {hint}.")
NO_COLUMN_TO_PREDICT = Sentence("{table} has no column {name!r} to predict; {hint}.")
TARGET_AS_FEATURE = Sentence("{column} is the target and cannot be a feature too; take it out of --features.")
TARGET_DROPPED = Sentence("{column} is the target and cannot be left out; take it out of --drop.")
NO_COLUMN_OF_FLAG = Sentence("{table} has no column {name!r} ({flag}); {hint}.")
DROPPED = Phrase("dropped by you")
NOT_CHOSEN = Phrase("not among the features you chose")
UNLEARNABLE = Sentence(
    "{column} of {table} is {kind} ({reason}) and cannot be learned from; leave it out of --features, or give --as "
    "{flag}=categorical."
)
IDENTIFIER = Phrase("an identifier")
FREE_TEXT = Phrase("free text")
NO_PARAMETERS = Sentence("{dataset} has no parameters; ask for it as {dataset}.")
EMPTY_PART = Sentence(
    "A {part} share of {share:g} of {rows} rows leaves no {part} row; give {flag} 0, or at least {least:g}."
)
NO_TRAIN_ROWS = Sentence(
    "Validation and test shares of {validation:g} and {test:g} leave no train row of {rows}; lower --val or --test."
)
SUMMARIZING = Phrase("summarizing the columns")
NOTHING_IN_TRAIN = Phrase("it is constant or empty in the train rows")
LEFT_OUT_ROLE = Phrase("left out")
NEAR_COLUMNS = Phrase("did you mean {near:or}? The columns are {columns:some}")
COLUMNS = Phrase("the columns are {columns:some}")
TARGET_INFINITE = Sentence("{place}: the target {column} is infinite; correct it or leave it empty.")
TARGET_EMPTY = Sentence("The target {column} has no values in {table}; choose another (--target).")
AS_CHOSEN = Phrase("as chosen")
TARGET_NO_NUMBER = Sentence(
    "{place}: the target {column} is “{text}”, not a number; choose --task binary or multiclass, or another target."
)
TARGET_CONSTANT = Sentence(
    "The target {column} is {value} in every row of {table}: there is nothing to learn; choose another target "
    "(--target)."
)
NOT_BINARY = Sentence(
    "The target {column} has {values:count} different values, and a binary task needs two; choose --task "
    "multiclass or regression."
)
EXCEL = Phrase("an Excel file or another zip archive")
OLD_EXCEL = Phrase("an old Excel file")
IMAGE = Phrase("an image")
HDF5 = Phrase("an HDF5 file")
SQLITE = Phrase("an SQLite database")
XZ = Phrase("an xz archive")
ARROW = Phrase("an Arrow file")
PICKLE = Phrase("a Python pickle")
WINDOWS = Sentence("{file} is not UTF-8; it was read as Windows-1252 (Latin-1).")
OTHER_ENCODING = Sentence("{file} was read as {encoding}.")
LONG_LINE = Sentence("{file} has a line of more than {megabytes:,.0f} MB; it is not a table.")
NOT_UNPACKED_WHOLE = Sentence("{file} cannot be unpacked to its end: {reason}.")
NOT_UNPACKED = Sentence("{file} cannot be unpacked: {reason}.")
CANNOT_BE_UNPACKED = Phrase("{file} cannot be unpacked")
OTHER_FORMAT = Sentence("{file} is {kind}, not a text table; export it as CSV first.")
BINARY = Sentence("{file} is not a text table (it holds binary data); give a CSV, TSV, Parquet or NPZ file.")
NUL_IN_LINE = Sentence("{file}, line {line}: there is a NUL byte; export the file again, or remove it.")
NOT_GIVEN = Sentence("{column} is not given; leave it empty if it is not known.")
BAD_TYPE = Sentence("{column} is given as a {kind}; give a number, a text or a date.")
NOT_ONE = Sentence("{column}: “{text}” is not {noun}; give {example}.")
INFINITE_GIVEN = Sentence("{column} is infinite; give {example}.")
DATE_LIKE = Phrase("a date like {example}")
NUMBER_LIKE = Phrase("a number like {example}")
A_DATE = Phrase("a date")
A_NUMBER = Phrase("a number")
MORE_CELLS = Phrase(" ({cells:count more such cell})")
CODE_PLACE = Phrase("{file}, line {line}")
CALLING = Phrase("calling {function}")
READING = Phrase("reading {file}")
CLOSE_QUOTES = Phrase("check that every quote there is closed")
DEFINE_IT = Phrase("define it, or name another")
POLARS_FAILED = Sentence("{what}: {reason}.")
NO_COLUMN_LEFT_WHY = Sentence("{table} has no column left to learn from: {why}")
NO_COLUMN_LEFT = Sentence("{table} has no column left to learn from; add one.")
NO_TRAIN_VALUES = Phrase("it has no values in the train rows")
ONE_VALUE = Phrase("it is {value} in every train row")
OTHER_KIND = Phrase("it holds {kind} values, which are neither numbers nor text")
COLUMN_UNREADABLE = Sentence("{column} cannot be read: {reason}.")
LOWER_DEGREE = Phrase("lower --degree (now {degree})")
DAY = Phrase("day")
MONTH = Phrase("month")
NOTHING_TO_LEARN_FROM = Sentence(
    "{table} has no column to learn {target} from ({why}); choose other --features, or give the type of a column "
    "with --as COL=TYPE."
)
ONLY_THE_TARGET = Sentence(
    "{table} has no column to learn {target} from: it has only this one; add a column, or check the separators of "
    "the file."
)
KIND_AND_REASON = Phrase("{kind} ({reason})")
NOTHING_REPEATS = Phrase("nothing in it repeats")
NO_SET = Sentence("There is no file {name} and no built-in set of that name; the built-in sets are {names}.")
NO_SET_BUT_NEAR = Sentence("There is no file {name} and no built-in set of that name; did you mean {near}?")
IS_A_NUMBER = Phrase("{column} is a number")
IS_A_CLASS = Phrase("{column} is a class")
TOO_MANY_CLASSES = Sentence(
    "The target {column} has {classes:count} classes in {rows:count} rows: too many to learn; choose another "
    "target (--target)."
)
TOO_MANY_NUMBERS = Sentence(
    "The target {column} has {classes:count} classes in {rows:count} rows: too many to learn; choose another "
    "target (--target), or --task regression."
)
NOT_FINITE = Sentence(
    "Column {column} holds a value that is not finite; correct it, leave it out (--drop), or divide it by a round "
    "number first."
)
TOO_HUGE = Sentence(
    "Column {column} holds numbers too large to be normalized; leave it out (--drop), or divide it by a round "
    "number first."
)
COLUMN_NUMBER = Phrase("number {number}")
PDF = Phrase("a PDF")
PROGRAM = Phrase("a program")
BZIP2 = Phrase("a bzip2 archive")
COMMAS = Phrase("commas")
SEMICOLONS = Phrase("semicolons")
TABS = Phrase("tabs")
BARS = Phrase("bars")

NO_PARAMETER = Sentence("{dataset} has no parameter {name!r}; {hint}.")
BAD_PARAMETER = Sentence("{dataset}: {name} is {value}, but must be {allowed}.")
NEAR_PARAMETERS = Phrase("did you mean {near}? They are {names}")
PARAMETERS = Phrase("they are {names}")
NO_SCIKIT_LEARN = Sentence("{dataset} comes with scikit-learn, which is not installed; pip install scikit-learn.")
WHOLE_NUMBER_FROM = Phrase("a whole number from {low:,.12g} to {high:,.12g}")
NUMBER_FROM = Phrase("a number from {low:,.12g} to {high:,.12g}")
OF_DATASET = Sentence("{dataset}: {problem}")
EMPTY = Phrase("empty")
DAYS = Phrase("{days:.10g} days")
AT_ROW = Phrase("{table}, row {row}")
AT_LINE = Phrase("{table}, line {line}")

entitle(globals())
