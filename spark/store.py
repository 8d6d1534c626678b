"""Files of any file system that Spark knows, and the batches that were committed to a dataset."""

import hashlib
import json


class Store:
    """The file systems of a cluster, through the driver's Hadoop."""

    def __init__(self, spark):
        self.jvm = spark._jvm
        self.configuration = spark._jsc.hadoopConfiguration()
        self.gateway = spark.sparkContext._gateway

    def path(self, *parts):
        return self.jvm.org.apache.hadoop.fs.Path("/".join(part.rstrip("/") for part in parts))

    def system(self, path):
        return path.getFileSystem(self.configuration)

    def files(self, name):
        """The files that a name, a folder or a pattern stands for, each with its size and time, in the order of their names.
        As everywhere in Spark, names that begin with a dot or an underscore are left out."""
        path = self.path(name)
        found = self.system(path).globStatus(path)
        if not found:
            raise FileNotFoundError(f"there is no input {name}")
        files = {}
        pending = list(found)
        while pending:
            status = pending.pop()
            if status.isDirectory():
                inside = self.system(status.getPath()).listStatus(status.getPath())
                pending += [one for one in inside if not one.getPath().getName().startswith((".", "_"))]
            else:
                name = status.getPath().toString()
                files[name] = {"file": name, "bytes": status.getLen(), "modified": status.getModificationTime()}
        return [files[name] for name in sorted(files)]

    def exists(self, *parts):
        path = self.path(*parts)
        return self.system(path).exists(path)

    def children(self, *parts):
        path = self.path(*parts)
        system = self.system(path)
        return sorted(one.getPath().getName() for one in system.listStatus(path)) if system.exists(path) else []

    def remove(self, *parts):
        path = self.path(*parts)
        self.system(path).delete(path, True)

    def move(self, source, target):
        """Renames a folder as a whole; a folder that is already renamed is left as it is."""
        source, target = self.path(source), self.path(target)
        system = self.system(target)
        if system.exists(source):
            system.mkdirs(target.getParent())
            if system.exists(target) or not system.rename(source, target):
                raise OSError(f"cannot rename {source.toString()} to {target.toString()}")

    def read(self, *parts):
        path = self.path(*parts)
        stream = self.system(path).open(path)
        try:
            return json.loads(bytes(self.jvm.org.apache.commons.io.IOUtils.toByteArray(stream)))
        finally:
            stream.close()

    def write(self, value, *parts):
        """Writes JSON beside its place first, then renames it into place, so that nobody ever reads half of it."""
        target = self.path(*parts)
        beside = self.path(target.getParent().toString(), f"_{target.getName()}.new")
        stream = self.system(beside).create(beside, True)
        try:
            stream.write(bytearray((json.dumps(value, indent=2, sort_keys=True) + "\n").encode()))
        finally:
            stream.close()
        rename = self.jvm.org.apache.hadoop.fs.Options.Rename
        over = self.gateway.new_array(rename, 1)
        over[0] = rename.OVERWRITE
        context = self.jvm.org.apache.hadoop.fs.FileContext.getFileContext(target.toUri(), self.configuration)
        context.rename(context.makeQualified(beside), context.makeQualified(target), over)


class Dataset:
    """An output folder. A batch is staged, then announced with everything there is to know about it, then its months
    are renamed into place one by one, and finally it is committed. A run that finds a batch announced finishes it."""

    KINDS = ("accepted", "rejected")

    def __init__(self, store, folder):
        path = store.path(folder)
        self.store, self.folder = store, store.system(path).makeQualified(path).toString()

    def staging(self, *parts):
        return "/".join([self.folder, "_staging", *parts])

    def committed(self):
        names = [name for name in self.store.children(self.folder, "_batches") if name.endswith(".json")]
        return [self.store.read(self.folder, "_batches", name) for name in names if not name.startswith(("_", "."))]

    def announced(self):
        return [name for name in self.store.children(self.staging()) if self.store.exists(self.staging(name, "batch.json"))]

    def announce(self, manifest):
        self.store.write(manifest, self.staging(manifest["batch"], "batch.json"))

    def publish(self, batch):
        """Moves what an announced batch has staged into place, and commits it."""
        manifest = self.store.read(self.staging(batch, "batch.json"))
        for kind in self.KINDS:
            staged = self.staging(batch, manifest["staged"][kind])
            for month in self.store.children(staged):
                if month.startswith("month="):
                    self.store.move(f"{staged}/{month}", f"{self.folder}/{kind}/{month}/batch={batch}")
        self.store.write(manifest, self.folder, "_batches", f"{manifest['number']:06}-{batch}.json")
        self.store.remove(self.staging(batch))

    def forget_unfinished(self):
        """Removes what was left behind by runs that ended before they announced a batch."""
        for name in self.store.children(self.staging()):
            self.store.remove(self.staging(name))


def name_of(files, terms):
    """The name of a batch: the same for the same files under the same terms."""
    return hashlib.sha256(json.dumps([files, terms], sort_keys=True).encode()).hexdigest()[:16]
