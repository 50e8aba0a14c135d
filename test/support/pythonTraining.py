# Trains one small network by the update() of exported programs, from weights and batches in a file; prints the weights.
# Arguments: keras or torch; the file; programs. A line of JSON for each program: its weights, in the order of TensorFlow.js.
import importlib.util
import json
import sys

import numpy as np

framework, data_file, *programs = sys.argv[1:]
with open(data_file) as file:
    data = json.load(file)
x = np.asarray(data["x"], np.float32)
labels = np.asarray(data["labels"], np.int64)
weights = [np.asarray(w, np.float32) for w in data["weights"]]


def load(file):
    spec = importlib.util.spec_from_file_location("program", file)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def train(program, model, optimizer, x, labels):
    for _ in range(data["epochs"]):
        for start in range(0, len(x), program.BATCH):
            rows = slice(start, start + program.BATCH)
            program.update(model, optimizer, x[rows], labels[rows])


def by_keras(program):
    import keras

    layers = [keras.layers.Dense(32, "tanh"), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input((20,)), *layers])
    model.set_weights(weights)
    train(program, model, program.make_optimizer(), x, labels.astype("int32"))
    return model.get_weights()


def by_torch(program):
    import torch

    model = torch.nn.Sequential(
        torch.nn.Linear(20, 32), torch.nn.Tanh(), torch.nn.Linear(32, 4)
    )
    with torch.no_grad():  # TensorFlow's kernels are PyTorch's, transposed
        for parameter, weight in zip(model.parameters(), weights):
            parameter.copy_(torch.from_numpy(weight.T.copy()))
    optimizer = program.make_optimizer(model.parameters())
    train(program, model, optimizer, torch.from_numpy(x), torch.from_numpy(labels))
    return [parameter.detach().numpy().T for parameter in model.parameters()]


for program in map(load, programs):
    trained = by_keras(program) if framework == "keras" else by_torch(program)
    print(json.dumps([np.asarray(w).ravel().tolist() for w in trained]), flush=True)
