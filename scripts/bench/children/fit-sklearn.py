"""The peer of the train benchmark: scikit-learn's lbfgs on the same matrix, timed around fit alone.

Arguments: matrix file (float32, row by row), labels file (float64, head by head), rows, columns, heads, lambda.
Says which versions it runs; then each line on stdin names a number type, and each line on stdout is one fit of all heads.
"""

import json
import sys
import time

import numpy
import sklearn
from sklearn.linear_model import LogisticRegression

matrix_file, labels_file, rows, columns, heads, penalty = sys.argv[1:]
matrix = numpy.fromfile(matrix_file, dtype=numpy.float32).reshape(int(rows), int(columns))
labels = numpy.fromfile(labels_file, dtype=numpy.float64).reshape(int(heads), int(rows))
matrices = {"float32": matrix}


def fit(x, y):
    model = LogisticRegression(C=1 / float(penalty), solver="lbfgs", max_iter=5000)
    started = time.perf_counter()
    model.fit(x, y)
    seconds = time.perf_counter() - started
    weights = model.coef_[0].astype(float).tolist()
    return {"seconds": seconds, "iterations": int(model.n_iter_[0]), "weights": weights, "intercept": float(model.intercept_[0])}


print(json.dumps({"sklearn": sklearn.__version__, "numpy": numpy.__version__}), flush=True)
for line in sys.stdin:
    name = line.strip()
    if name not in matrices:
        matrices[name] = matrix.astype(name)
    print(json.dumps([fit(matrices[name], y) for y in labels]), flush=True)
